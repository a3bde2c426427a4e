// Holds each translation against the messages of the page, and prints what is missing, superfluous or wrong.
import { MessageExtractor } from '@angular/localize/tools';
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import ts from 'typescript';

const TEXTS = 'src/app/texts';
const LOCALES = 'src/locale';
const PLACEHOLDER = /\{\$\w+\}/g;

const javascript = (source) =>
  ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } })
    .outputText;

async function messages() {
  const files = { readFile: (name) => sources.get(basename(name)), resolve: join, relative: (_, name) => name };
  const logger = { level: 3, debug() {}, info() {}, warn: console.warn, error: console.error };
  const sources = new Map();
  for (const name of await readdir(TEXTS)) {
    if (!name.endsWith('.spec.ts')) sources.set(name, javascript(await readFile(join(TEXTS, name), 'utf8')));
  }
  const extractor = new MessageExtractor(files, logger, { basePath: '.', useSourceMaps: false });
  return new Map(
    [...sources.keys()].flatMap((name) => extractor.extractMessages(name)).map(({ id, text }) => [id, text]),
  );
}

async function translations(name) {
  const code = javascript(await readFile(join(LOCALES, name), 'utf8'));
  return (await import(`data:text/javascript,${encodeURIComponent(code)}`)).translations;
}

function problems(texts, translated) {
  const used = (text) => [...new Set(text.match(PLACEHOLDER))].sort().join(' ');
  const line = (id) => `// ${texts.get(id)}\n  '${id}': '…',`;
  return [
    ...[...texts.keys()].filter((id) => !(id in translated)).map((id) => `missing:\n  ${line(id)}`),
    ...Object.keys(translated)
      .filter((id) => !texts.has(id))
      .map((id) => `superfluous: ${id}: ${translated[id]}`),
    ...[...texts]
      .filter(([id, text]) => id in translated && used(text) !== used(translated[id]))
      .map(([id, text]) => `other placeholders: ${id}: ${text}: ${translated[id]}`),
  ];
}

const texts = await messages();
const locales = await readdir(LOCALES);
for (const name of locales) {
  const found = problems(texts, await translations(name));
  for (const problem of found) console.error(`${name}: ${problem}`);
  if (found.length > 0) process.exitCode = 1;
}
if (texts.size === 0 || locales.length === 0) process.exitCode = 1;
