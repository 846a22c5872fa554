#!/usr/bin/env node
// The program `headwater`, which npm installs.

'use strict';

const { runCommandLine } = require('../native.js');

process.exit(runCommandLine(['headwater', ...process.argv.slice(2)]));
