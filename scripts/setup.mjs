// Runs before `npm start`, `npm test` and `npm run demo`, on a fresh clone before anything is installed: plain
// JavaScript, no dependencies. Done in less than a tenth of a second when there is nothing to do.
/* global setInterval, clearInterval */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTemporal } from '../embedded/find-temporal.mjs';
import { patchPostgres } from './patch-postgres.mjs';

// Not import.meta.dirname: a Node version that is too old must still reach the error message about it.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LEAST_NODE = [20, 19];
const PROGRESS_MS = 15_000;

try {
  requireNode();
  requireSystem();
  if (!isInstalled()) await install();
  // For packages that were installed without our scripts.
  patchPostgres();
  // If another server is used instead, its client checks it.
  const address =
    process.env.npm_lifecycle_event === 'pretest' ? 'TEST_TEMPORAL_ADDRESS' : 'TEMPORAL_ADDRESS';
  if (!process.env[address]) await findTemporal({ log: console.log });
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  throw new Error(
    `Torpedo needs Node ${LEAST_NODE.join('.')} or later, but this is Node ${process.versions.node}. Get it from https://nodejs.org.`,
  );
}

function requireSystem() {
  if (process.platform !== 'win32' || (process.env.DATABASE_URL && process.env.TEMPORAL_ADDRESS)) return;
  throw new Error(
    'On Windows, start Torpedo in WSL 2, or set DATABASE_URL and TEMPORAL_ADDRESS to your own PostgreSQL and Temporal servers.',
  );
}

/** Whether node_modules matches package-lock.json, by npm's own record of what it installed. */
function isInstalled() {
  const note = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(note)) return false;
  const installed = packagesIn(note);
  return Object.entries(packagesIn(join(ROOT, 'package-lock.json'))).every(([path, wanted]) => {
    if (path === '') return true;
    const present = installed[path];
    // Optional packages are those for other platforms.
    if (!present) return wanted.optional === true;
    return present.version === wanted.version && present.integrity === wanted.integrity;
  });
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }>}
 */
function packagesIn(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}

async function install() {
  console.log('Installing the packages (npm ci): one or two minutes, first start only');
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const progress = setInterval(() => console.log(`  … ${seconds()} s`), PROGRESS_MS);
  // The npm that runs us, if any: it may not be the one on the PATH.
  const [npm, ...args] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  try {
    await new Promise((resolve, reject) => {
      const child = spawn(npm, [...args, 'ci', '--include=dev'], {
        cwd: ROOT,
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      child.once('error', (error) => reject(new Error(`npm cannot be run: ${error.message}`)));
      child.once('close', (code) => (code === 0 ? resolve(code) : reject(new Error(npmFailed(code)))));
    });
  } finally {
    clearInterval(progress);
  }
  console.log(`Packages installed in ${seconds()} s`);
}

/** @param {number | null} code */
function npmFailed(code) {
  return [
    `npm ci failed${code === null ? '' : ` with code ${code}`}: see its output above.`,
    'It needs the npm registry (or the mirror named in your .npmrc) and about 1 GB of disk.',
  ].join('\n');
}
