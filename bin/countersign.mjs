#!/usr/bin/env node
import { join } from 'node:path';
import { checkout, ensureInstalled } from './installed.mjs';
import { runNode24 } from './run-node24.mjs';

ensureInstalled();
runNode24([join(checkout, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)]);
