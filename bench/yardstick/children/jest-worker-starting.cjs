const { boot, isBooted } = require('./hooks.cjs');
const { echo } = require('./tasks.cjs');

module.exports = { setup: boot, isBooted, echo };
