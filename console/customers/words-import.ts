import { counted, dictionary } from '../kit/dictionary.ts';

/** Customers from a file. */
export const customerImportWords = dictionary(
  {
    title: 'Importar clientes',
    file: 'Arquivo CSV',
    layout: 'Download do layout',
    help: 'Use o layout, com ponto e vírgula ou vírgula. Os clientes são encontrados pelo código ou, na falta dele, pelo telefone. Uma célula vazia ou ilegível nunca apaga um valor. Só ficam de fora as linhas que não identificam um cliente.',
    upload: 'Importar',
    done: (lines: string) => counted(lines, 'linha lida', 'linhas lidas'),
    inserted: 'Clientes novos',
    updated: 'Atualizados',
    unchanged: 'Sem mudança',
    badLines: 'Linhas deixadas de fora',
    first: (count: string) => (count === '1' ? 'Ver a linha' : `As primeiras ${count}`),
    refused: 'Nada foi importado',
    see: 'Ver os clientes',
  },
  {
    title: 'Import customers',
    file: 'CSV file',
    layout: 'Download the layout',
    help: 'Use this layout, with semicolons or commas. Customers are found by code, otherwise by phone. An empty or unreadable cell never erases a value. Only lines that do not identify a customer are skipped.',
    upload: 'Import',
    done: (lines) => `${counted(lines, 'line', 'lines')} read`,
    inserted: 'New customers',
    updated: 'Updated',
    unchanged: 'Unchanged',
    badLines: 'Skipped lines',
    first: (count) => (count === '1' ? 'See the line' : `The first ${count}`),
    refused: 'Nothing was imported',
    see: 'See the customers',
  },
);
