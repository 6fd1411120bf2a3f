// Plain JavaScript, without dependencies: scripts/setup.mjs runs it before anything is installed.
/* global AbortController, Buffer, clearInterval, clearTimeout, fetch, setInterval */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The last version that `go install` supports: later ones replace modules in their go.mod. Contains server 1.29. */
const VERSION = '1.5.1';
/** Updates with start are on by default from this server version on. */
const LEAST_SERVER = [1, 28];

const RELEASES = 'https://github.com/temporalio/cli/releases/download';
const GO_PACKAGE = `github.com/temporalio/cli/cmd/temporal@v${VERSION}`;
/** Many machines have no internet access, and some networks drop packets silently: the error must not take long. */
const CONNECT_TIMEOUT_MS = 5_000;
const STALL_TIMEOUT_MS = 30_000;
const PROGRESS_MS = 15_000;

/**
 * Finds Temporal's CLI, which holds its development server, or gets it: TEMPORAL_CLI, the PATH, our cache, the official
 * release (checked against its checksums), the Go module proxy. Rejects with what was tried and what to do.
 *
 * @param {object} [options]
 * @param {(message: string) => void} [options.log]
 * @param {Record<string, string | undefined>} [options.env]
 * @param {string} [options.releases]
 * @returns {Promise<string>} the path of the executable
 */
export async function findTemporal({ log = () => {}, env = process.env, releases = RELEASES } = {}) {
  if (env.TEMPORAL_CLI) {
    const fault = faultOf(env.TEMPORAL_CLI);
    if (fault) throw new Error(`TEMPORAL_CLI is set to ${env.TEMPORAL_CLI}, but ${fault}.`);
    return env.TEMPORAL_CLI;
  }

  /** @type {string[]} */
  const failures = [];
  const onPath = findOnPath('temporal', env);
  if (onPath) {
    const fault = faultOf(onPath);
    if (!fault) return onPath;
    failures.push(`${onPath}: ${fault}`);
  } else {
    failures.push('on the PATH: there is no temporal');
  }

  const folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'torpedo', 'bin');
  const cached = join(folder, `temporal-${VERSION}`);
  if (isExecutable(cached)) return cached;

  log(`Installing Temporal's CLI ${VERSION} (first start only)`);
  const routes = [
    { name: 'download', get: (/** @type {string} */ target) => download(target, releases, log) },
    { name: 'go install', get: (/** @type {string} */ target) => goInstall(target, env, log) },
  ];
  for (const { name, get } of routes) {
    try {
      mkdirSync(folder, { recursive: true });
      const unfinished = mkdtempSync(join(folder, 'unfinished-'));
      try {
        await get(unfinished);
        const fault = faultOf(join(unfinished, 'temporal'));
        if (fault) throw new Error(fault);
        renameSync(join(unfinished, 'temporal'), cached);
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
      return cached;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log(`  ${name} failed: ${reason}`);
      failures.push(`${name}: ${reason}`);
    }
  }
  throw new Error(
    [
      "Torpedo needs Temporal's CLI, but could not install it:",
      ...failures.map((failure) => `  - ${failure}`),
      'Do one of these and start again:',
      '  - install it (https://docs.temporal.io/cli/setup-cli), on the PATH or anywhere with TEMPORAL_CLI=/path/to/temporal',
      `  - install Go 1.25 or later: Torpedo then builds it once, in about 4 minutes`,
      '  - use an existing Temporal server: TEMPORAL_ADDRESS=host:port',
    ].join('\n'),
  );
}

/**
 * The official release, unpacked into `folder` only when it has the published SHA-256.
 *
 * @param {string} folder
 * @param {string} releases
 * @param {(message: string) => void} log
 */
async function download(folder, releases, log) {
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  if (!arch || !['linux', 'darwin'].includes(process.platform)) {
    throw new Error(`there is no release for ${process.platform} ${process.arch}`);
  }
  const name = `temporal_cli_${VERSION}_${process.platform}_${arch}.tar.gz`;
  const checksums = (await fetchAll(`${releases}/v${VERSION}/checksums.txt`)).toString();
  const expected = checksums
    .split('\n')
    .find((line) => line.trim().endsWith(` ${name}`))
    ?.split(' ')[0];
  if (!expected) throw new Error(`the release has no checksum for ${name}`);

  const archive = await fetchAll(`${releases}/v${VERSION}/${name}`, log);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`${name} has the SHA-256 ${actual} instead of ${expected}`);

  const file = join(folder, name);
  writeFileSync(file, archive);
  const tar = spawnSync('tar', ['-xzf', file, '-C', folder, 'temporal'], { encoding: 'utf8' });
  if (tar.status !== 0) throw new Error(`tar: ${tar.error?.message ?? tar.stderr.trim()}`);
}

/**
 * @param {string} url
 * @param {(message: string) => void} [log]
 * @returns {Promise<Buffer>}
 */
async function fetchAll(url, log) {
  const stalled = new AbortController();
  const giveUp = () => stalled.abort(new Error(`no answer from ${new URL(url).host}`));
  let timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: stalled.signal });
    if (!response.ok || !response.body) throw new Error(`${url} answers with status ${response.status}`);
    const total = Number(response.headers.get('content-length'));
    /** @type {Uint8Array[]} */
    const chunks = [];
    let received = 0;
    let nextTenth = 1;
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, STALL_TIMEOUT_MS);
      chunks.push(chunk);
      received += chunk.length;
      if (log && total && received >= (total * nextTenth) / 10) {
        log(`  downloaded ${megabytes(received)} of ${megabytes(total)} MB`);
        nextTenth = Math.floor((received * 10) / total) + 1;
      }
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (stalled.signal.aborted) throw stalled.signal.reason;
    // The message of fetch is only "fetch failed"; the cause has the reason.
    if (error instanceof Error && error.cause instanceof Error) {
      throw new Error(`${new URL(url).host} cannot be reached (${error.cause.message})`, { cause: error });
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Builds the CLI with Go, from modules whose checksums Go verifies itself.
 *
 * @param {string} folder
 * @param {Record<string, string | undefined>} env
 * @param {(message: string) => void} log
 */
async function goInstall(folder, env, log) {
  const go = findOnPath('go', env);
  if (!go) throw new Error('there is no Go on the PATH');
  log("  building Temporal's CLI with Go: about 4 minutes, first start only");
  const startedAt = Date.now();
  const progress = setInterval(
    () => log(`  … ${Math.round((Date.now() - startedAt) / 1000)} s`),
    PROGRESS_MS,
  );
  try {
    const flags = `-s -w -X github.com/temporalio/cli/temporalcli.Version=${VERSION}`;
    const child = spawn(go, ['install', '-ldflags', flags, GO_PACKAGE], {
      // GOPATH and cache stay the user's; GOOS and GOARCH would put the program into another folder.
      env: { ...env, GOBIN: folder, GOOS: undefined, GOARCH: undefined },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (chunk) => (output = (output + chunk).slice(-2_000)));
    await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => (code === 0 ? resolve(code) : reject(new Error(lastLine(output)))));
    });
  } finally {
    clearInterval(progress);
  }
}

/**
 * Why this program cannot serve as Temporal's CLI, or null if it can.
 *
 * @param {string} path
 * @returns {string | null}
 */
function faultOf(path) {
  const { error, status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 30_000 });
  if (error) return `it cannot be run (${'code' in error ? error.code : error.message})`;
  const [, major, minor] = /\bServer (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (status !== 0 || !major || !minor) return "it is not Temporal's CLI";
  const tooOld =
    Number(major) < LEAST_SERVER[0] || (Number(major) === LEAST_SERVER[0] && Number(minor) < LEAST_SERVER[1]);
  return tooOld
    ? `its server is ${major}.${minor}, but Torpedo needs ${LEAST_SERVER.join('.')} or later`
    : null;
}

/**
 * @param {string} name
 * @param {Record<string, string | undefined>} env
 * @returns {string | undefined}
 */
function findOnPath(name, env) {
  return (env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return (bytes / 1_000_000).toFixed(1);
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? '';
}
