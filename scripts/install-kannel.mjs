// Runs before `npm test`: gets Debian's Kannel, the gateway that test/providers.kannel.test.ts sends through, where it
// can be had without a question (root on a Debian system). Without it that test is left out, and says so.
// TORPEDO_INSTALL=0 installs nothing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const LIMIT_MS = 3 * 60_000;

const isThere = ['/usr/sbin/bearerbox', '/usr/local/sbin/bearerbox'].some((path) => existsSync(path));
const mayInstall =
  process.env.TORPEDO_INSTALL !== '0' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
if (!isThere && mayInstall) {
  console.log('Installing Kannel, which a test sends through (TORPEDO_INSTALL=0 leaves it out) …');
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', '-y', ...args], {
      stdio: 'ignore',
      timeout: LIMIT_MS,
      // The package would start a Kannel of its own: in this runlevel no service is started.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    }).status === 0;
  const install = () => apt('install', '--no-install-recommends', 'kannel');
  if (!install() && !(apt('update') && install())) {
    console.log('Kannel could not be installed: its test will be left out.');
  }
}
