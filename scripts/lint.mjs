// ESLint for the whole repository. A file is checked again if it, or a file that it imports directly or through others,
// has changed since it passed: rules that use types depend on all of these. ESLint's own cache looks at the file alone.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { ESLint } from 'eslint';
import ts from 'typescript';

const cacheFile = 'node_modules/.cache/lint.json';
const skipped = new Set(['node_modules', '.git', '.torpedo', 'coverage']);

const files = new Map(sourceFiles('.').map((path) => [path, readFileSync(path, 'utf8')]));
const hashes = new Map([...files].map(([path, text]) => [path, hash(text)]));
const imports = new Map([...files].map(([path, text]) => [path, importsOf(path, text)]));

/** What all results depend on. Declarations for modules and globals apply without an import. */
const common = [
  ...['eslint.config.js', 'tsconfig.json', 'package-lock.json'].map((path) => readFileSync(path, 'utf8')),
  reachedFrom(
    [...files].filter(([, text]) => /\bdeclare (module|global)\b/.test(text)).map(([path]) => path),
  ),
].join('\n');

const passed = readPassed();
const keys = new Map([...files.keys()].map((path) => [path, hash(`${common}\n${reachedFrom([path])}`)]));
const changed = [...keys].filter(([path, key]) => passed[path] !== key).map(([path]) => path);

// As ESLint's own command: one program for all files, and none that waits for edits.
process.env.TSESTREE_SINGLE_RUN = 'true';
const eslint = new ESLint({ warnIgnored: false });
const results = changed.length === 0 ? [] : await eslint.lintFiles(changed);
const withMessages = new Set(
  results
    .filter(({ messages }) => messages.length > 0)
    .map(({ filePath }) => posix.relative(process.cwd(), filePath)),
);
mkdirSync(posix.dirname(cacheFile), { recursive: true });
writeFileSync(
  cacheFile,
  JSON.stringify(Object.fromEntries([...keys].filter(([path]) => !withMessages.has(path)))),
);

const formatter = await eslint.loadFormatter('stylish');
const output = await formatter.format(results);
if (output) console.log(output);
if (results.some(({ errorCount }) => errorCount > 0)) process.exitCode = 1;

/**
 * @param {string} folder
 * @returns {string[]}
 */
function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : sourceFiles(path);
    return /\.([cm]?js|[cm]?ts|tsx)$/.test(entry.name) ? [path] : [];
  });
}

/**
 * Our own files that this one imports. The types of a module in JavaScript may be in a file beside it.
 *
 * @param {string} path
 * @param {string} text
 * @returns {string[]}
 */
function importsOf(path, text) {
  const { importedFiles, referencedFiles } = ts.preProcessFile(text, true, true);
  return [...importedFiles, ...referencedFiles]
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(path), name))
    .flatMap((name) => [name, name.replace(/\.([cm]?)js$/, '.d.$1ts')])
    .filter((name) => files.has(name));
}

/**
 * These files and all that they import, with the hashes of their contents.
 *
 * @param {string[]} paths
 * @returns {string}
 */
function reachedFrom(paths) {
  const reached = new Set(paths);
  for (const one of reached) for (const next of imports.get(one) ?? []) reached.add(next);
  return [...reached]
    .sort()
    .map((one) => `${one} ${hashes.get(one)}`)
    .join('\n');
}

/** @returns {Record<string, string>} */
function readPassed() {
  try {
    return JSON.parse(readFileSync(cacheFile, 'utf8'));
  } catch {
    return {};
  }
}

/** @param {string} text */
function hash(text) {
  return createHash('sha256').update(text).digest('base64url');
}
