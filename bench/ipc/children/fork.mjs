process.on('message', ({ id, params }) => process.send({ id, result: params }));
