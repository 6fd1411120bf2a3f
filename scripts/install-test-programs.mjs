// Runs before `npm test`: installs the programs that some tests need besides Node.js, if that needs no confirmation
// (root on a Debian system). Reports what is still missing; its tests are skipped. TORPEDO_INSTALL=0 installs nothing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const LIMIT_MS = 5 * 60_000;

const programs = [
  {
    name: 'Kannel',
    without: 'the test that sends through it is skipped',
    package: 'kannel',
    paths: ['/usr/sbin/bearerbox', '/usr/local/sbin/bearerbox'],
  },
  {
    name: 'Chromium',
    without: 'the tests of the console in a browser are skipped',
    package: 'chromium',
    paths: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  },
  {
    name: "Chromium's headless shell",
    without: 'the tests use Chromium, which is slower',
    package: 'chromium-headless-shell',
    paths: ['/usr/bin/chromium-headless-shell'],
  },
  {
    name: 'LibreOffice',
    without: 'the tests of files that a spreadsheet has saved are skipped',
    package: 'libreoffice-calc-nogui',
    paths: ['/usr/bin/soffice', '/usr/local/bin/soffice'],
  },
];

const missing = programs.filter(
  ({ name, paths }) =>
    !paths.some((path) => existsSync(path)) && !(name === 'Chromium' && process.env.CHROMIUM),
);
const mayInstall =
  process.env.TORPEDO_INSTALL !== '0' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
if (missing.length > 0 && mayInstall) {
  const names = missing.map(({ name }) => name).join(', ');
  console.log(`Installing ${names} for the tests (TORPEDO_INSTALL=0 skips it) …`);
  const packages = missing.map((program) => program.package);
  if (!install(packages)) {
    apt('update');
    // One by one: a program that is unavailable must not prevent the installation of the other.
    for (const one of packages) install([one]);
  }
}
for (const { name, without, paths } of missing) {
  if (!paths.some((path) => existsSync(path))) console.log(`There is no ${name}: ${without}.`);
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
      // Kannel's package would start its own Kannel: in this runlevel no service is started.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    }).status === 0
  );
}
