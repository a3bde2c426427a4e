// Puts a compressed copy beside each file of dist/ that is worth it, so that no server has to compress anything.
// The page itself is left out: a server writes a nonce into it.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';

const WORTH_IT = /\.(css|js|json|svg|txt)$/;
const LEAST_BYTES = 1024;

const folder = process.argv[2] ?? 'dist';
for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !WORTH_IT.test(entry.name)) continue;
  const content = await readFile(path);
  if (content.length < LEAST_BYTES) continue;
  await writeFile(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
}
