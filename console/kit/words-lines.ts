import { counted, dictionary } from './dictionary.ts';

/** Values of a file or a mailing that could not be read. */
export const lineWords = dictionary(
  {
    title: (lines: string) => `${counted(lines, 'linha', 'linhas')} com avisos`,
    help: 'Um valor que não pôde ser lido ficou vazio; a linha é usada mesmo assim.',
    first: (count: string) => (count === '1' ? 'O primeiro aviso' : `Os primeiros ${count} avisos`),
    line: 'Linha',
    expected: 'Esperado',
    found: 'Encontrado',
    uploading: 'Enviando o arquivo:',
    checking: 'Conferindo as linhas…',
    cancel: 'Cancelar o envio',
    problem: 'Problema',
    value: 'Valor original',
    warnings: 'Avisos',
  },
  {
    title: (lines) => `${counted(lines, 'line', 'lines')} with warnings`,
    help: 'A value that could not be read was left empty; the line is still used.',
    first: (count) => (count === '1' ? 'The first warning' : `The first ${count} warnings`),
    line: 'Line',
    expected: 'Expected',
    found: 'Found',
    uploading: 'Uploading the file:',
    checking: 'Checking the lines…',
    cancel: 'Cancel the upload',
    problem: 'Problem',
    value: 'Original value',
    warnings: 'Warnings',
  },
);
