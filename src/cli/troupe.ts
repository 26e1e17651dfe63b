#!/usr/bin/env node
/** The `troupe` command, as npm installs it. */
import process from 'node:process';

import { main } from './main.ts';
import { endWith } from './terminal.ts';

endWith(await main(process.argv.slice(2)));
