// Stands in for kafkajs, wherever a dependency loads it.
module.exports = require('headwater/kafkajs');
