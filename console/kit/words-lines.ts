import { counted, dictionary } from './dictionary.ts';

/** What could not be read of the lines of a file or a mailing. */
export const lineWords = dictionary(
  {
    title: (lines: string) => `${counted(lines, 'linha', 'linhas')} com avisos`,
    help: 'O valor que não pôde ser lido ficou vazio; a linha não se perde por isso.',
    first: (count: string) => (count === '1' ? 'O primeiro aviso' : `Os primeiros ${count} avisos`),
    line: 'Linha',
    problem: 'Problema',
    value: 'O que havia',
    warnings: 'Avisos',
    download: 'Baixar as linhas com problema ou aviso',
  },
  {
    title: (lines) => `${counted(lines, 'line', 'lines')} with warnings`,
    help: 'A value that could not be read was left empty; the line is not lost by it.',
    first: (count) => (count === '1' ? 'The first warning' : `The first ${count} warnings`),
    line: 'Line',
    problem: 'Problem',
    value: 'What was there',
    warnings: 'Warnings',
    download: 'Download the lines with a problem or a warning',
  },
);
