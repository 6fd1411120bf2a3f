import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';

/** CI requires it: scripts/install-test-programs.mjs installs it. */
export const hasLibreOffice =
  process.env.CI !== undefined || spawnSync('which', ['soffice'], { stdio: 'ignore' }).status === 0;
if (!hasLibreOffice) {
  console.warn(
    'Tests with a spreadsheet are skipped because LibreOffice is not installed. Install it with: apt-get install libreoffice-calc-nogui',
  );
}

export interface SpreadsheetSettings {
  /** The delimiters for opening and for saving the file. */
  opened: ';' | ',';
  saved: ';' | ',';
  /** The language of numbers, dates and booleans. */
  language: 'pt-BR' | 'en-US';
  /** Converts dates, percentages, 1E5 and the like to numbers. Otherwise it converts only plain numbers. */
  detectsSpecialNumbers: boolean;
}

/** Windows language ids, as LibreOffice's filters use them. */
const languageIds = { 'pt-BR': 1046, 'en-US': 1033 } as const;
const utf8 = 76;

let folder: Promise<string> | null = null;
afterAll(async () => {
  if (folder !== null) await rm(await folder, { recursive: true, force: true });
  folder = null;
});
let files = 0;

/**
 * Opens the CSV file in LibreOffice and saves it as CSV in UTF-8 with the cells as shown, which is the default of its
 * dialog.
 */
export async function saveWithLibreOffice(
  file: Uint8Array,
  { opened, saved, language, detectsSpecialNumbers }: SpreadsheetSettings,
): Promise<Buffer> {
  folder ??= mkdtemp(join(tmpdir(), 'torpedo-spreadsheet-'));
  const at = await folder;
  const name = `file-${++files}.csv`;
  await writeFile(join(at, name), file);
  // https://wiki.documentfoundation.org/Documentation/DevGuide/Spreadsheet_Documents#Filter_Options_for_the_CSV_Filter
  const options = (delimiter: string, ...more: (string | number | boolean)[]) =>
    [
      'CSV:',
      [delimiter.charCodeAt(0), '"'.charCodeAt(0), utf8, 1, '', languageIds[language], ...more].join(','),
    ].join('');
  const { status, stderr } = spawnSync(
    'soffice',
    [
      '--headless',
      // Two processes cannot share a profile.
      `-env:UserInstallation=${pathToFileURL(join(at, 'profile')).href}`,
      `--infilter=${options(opened, false, detectsSpecialNumbers)}`,
      '--convert-to',
      `csv:Text - txt - csv (StarCalc):${options(saved, false, true).slice('CSV:'.length)}`,
      '--outdir',
      join(at, 'saved'),
      join(at, name),
    ],
    { encoding: 'utf8', timeout: 60_000 },
  );
  if (status !== 0) throw new Error(`LibreOffice has failed (${String(status)}): ${stderr}`);
  return readFile(join(at, 'saved', name));
}
