// Runs before `npm test`: gets the programs that some tests need besides Node.js, where they can be had without a
// question (root on a Debian system). What is missing all the same is told, and its tests are left out.
// TORPEDO_INSTALL=0 installs nothing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const LIMIT_MS = 5 * 60_000;

const programs = [
  {
    name: 'Kannel',
    wantedFor: 'the test that sends through it',
    package: 'kannel',
    paths: ['/usr/sbin/bearerbox', '/usr/local/sbin/bearerbox'],
  },
  {
    name: 'Chromium',
    wantedFor: 'the tests of the console in a browser',
    package: 'chromium',
    paths: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  },
];

const missing = programs.filter(
  ({ name, paths }) =>
    !paths.some((path) => existsSync(path)) && !(name === 'Chromium' && process.env.CHROMIUM),
);
const mayInstall =
  process.env.TORPEDO_INSTALL !== '0' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
if (missing.length > 0 && mayInstall) {
  const names = missing.map(({ name }) => name).join(' and ');
  console.log(`Installing ${names} for the tests (TORPEDO_INSTALL=0 leaves it out) …`);
  const packages = missing.map((program) => program.package);
  if (!install(packages)) {
    apt('update');
    // One by one: the one that can't be had must not keep the other out.
    for (const one of packages) install([one]);
  }
}
for (const { name, wantedFor, paths } of missing) {
  if (!paths.some((path) => existsSync(path)))
    console.log(`There is no ${name}: ${wantedFor} will be left out.`);
}

/** @param {string[]} packages */
function install(packages) {
  return apt('install', '--no-install-recommends', ...packages);
}

/** @param {string[]} args */
function apt(...args) {
  return (
    spawnSync('apt-get', ['-q', '-y', ...args], {
      stdio: 'ignore',
      timeout: LIMIT_MS,
      // Kannel's package would start a Kannel of its own: in this runlevel no service is started.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    }).status === 0
  );
}
