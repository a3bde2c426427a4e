// Prints the compressed size of the initial load, and fails when it exceeds the budget.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 150 * 1024;
const LINKED = /<(?:script|link)[^>]*\b(?:src|href)="([^"]+\.(?:js|css))"/g;
const IMPORTED = /\b(?:from|import)\s*"\.\/([^"]+\.js)"/g; // static imports only: import(…) is loaded on demand

const folder = process.argv[2] ?? 'dist';
const sizes = new Map();

async function addSize(name) {
  if (sizes.has(name)) return;
  const content = await readFile(join(folder, name));
  sizes.set(name, gzipSync(content).length);
  for (const [, imported] of content.toString().matchAll(IMPORTED)) await addSize(imported);
}

const page = await readFile(join(folder, 'index.html'), 'utf8');
for (const [, name] of page.matchAll(LINKED)) await addSize(name);
const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
for (const [name, size] of sizes) console.log(`${kilobytes(size).padStart(9)}  ${name}`);
console.log(`${kilobytes(total).padStart(9)}  initially, compressed; the budget is ${kilobytes(BUDGET_BYTES)}`);
if (sizes.size === 0 || total > BUDGET_BYTES) process.exitCode = 1;
