// CommonJS: poolifier's first message to a process comes before an ES module has loaded, and is lost.
const { ClusterWorker } = require('poolifier');
const { echo } = require('./tasks.cjs');

module.exports = new ClusterWorker(echo);
