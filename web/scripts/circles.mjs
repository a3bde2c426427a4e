// Fails when modules import each other in a circle, and prints each circle; import(…) and import type may.
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

const FOLDERS = ['src', 'projects/client/src'];
const CLIENT = 'projects/client/src/index.ts';

async function modules() {
  const found = await Promise.all(FOLDERS.map((folder) => readdir(folder, { recursive: true })));
  const names = found.flatMap((each, at) => each.map((name) => normalize(join(FOLDERS[at], name))));
  return names.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
}

function resolved(from, specifier, known) {
  if (specifier === 'orderstream-client') return CLIENT;
  if (!specifier.startsWith('.')) return undefined;
  const path = normalize(join(dirname(from), specifier));
  return [`${path}.ts`, join(path, 'index.ts')].find((each) => known.has(each));
}

// at run time there is nothing left of them
function isOfTypes(statement) {
  return statement.isTypeOnly || statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

async function imports(names) {
  const known = new Set(names);
  const graph = new Map();
  for (const name of names) {
    const source = ts.createSourceFile(name, await readFile(name, 'utf8'), ts.ScriptTarget.Latest);
    const statics = source.statements.filter((each) => each.moduleSpecifier && !isOfTypes(each));
    graph.set(name, statics.map((each) => resolved(name, each.moduleSpecifier.text, known)).filter(Boolean));
  }
  return graph;
}

function circles(graph) {
  const found = [];
  const done = new Set();
  const path = [];
  function visit(name) {
    const at = path.indexOf(name);
    if (at >= 0) found.push([...path.slice(at), name]);
    if (at >= 0 || done.has(name)) return;
    path.push(name);
    graph.get(name).forEach(visit);
    path.pop();
    done.add(name);
  }
  [...graph.keys()].forEach(visit);
  return found;
}

const graph = await imports(await modules());
const found = circles(graph);
for (const circle of found) console.error(`imports in a circle: ${circle.join(' → ')}`);
if (graph.size === 0 || found.length > 0) process.exitCode = 1;
