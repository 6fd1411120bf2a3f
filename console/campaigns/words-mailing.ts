import { counted, dictionary } from '../kit/dictionary.ts';

/** Where a campaign's contacts come from: the CSV file and the web service. */
export const campaignMailing = dictionary(
  {
    csv: {
      title: 'Arquivo CSV',
      layout: 'Download do layout',
      layoutHelp:
        'Um CSV como o do layout: o cabeçalho e uma linha para cada contato, com vírgula ou ponto e vírgula.',
      replaceHelp: 'O novo arquivo vale a partir da próxima execução.',
      upload: 'Importar arquivo',
      replace: 'Substituir arquivo',
      present: 'Arquivo atual',
      none: 'Nenhum arquivo ainda.',
      facts: (lines: string, size: string) => `${counted(lines, 'linha', 'linhas')}, ${size}`,
      uploadedAt: 'importado em',
      content: 'Baixar o arquivo',
      counts: 'O arquivo foi guardado: a próxima execução usa este.',
      result: (sendable: string, lines: string) =>
        `${sendable} de ${counted(lines, 'linha', 'linhas')} ${sendable === '1' ? 'pode' : 'podem'} receber a mensagem.`,
      leftOut: 'Serão deixadas de fora:',
      line: 'Linha',
      first: (count: string) =>
        count === '1' ? 'A linha com problema' : `As primeiras ${count} linhas com problema`,
      badLines: 'Baixar as linhas com problema ou aviso',
      badLinesHelp: 'Um CSV com o que há em cada linha: corrija e importe de novo.',
      uploading: 'Enviando o arquivo:',
      cancel: 'Cancelar o envio',
      checking: 'Conferindo as linhas…',
      refused: 'O arquivo foi recusado. Nada dele foi guardado.',
      expected: 'Esperado',
      found: 'Encontrado',
      ownForm: 'Se você mudou os campos extras, salve antes: o layout muda com eles.',
    },
    webservice: {
      title: 'Webservice',
      urlBuilder: 'Montar URL',
      dates: 'Usar datas nos valores',
      datePlaceholders: {
        today: 'a data da busca, 2026-11-24',
        yesterday: 'a data anterior, 2026-11-23',
        lastRunAt: 'quando foi buscado o mailing da última execução que enviou, 2026-11-23T09:00:02-03:00',
        occurrence: 'a hora marcada da execução, 2026-11-24T09:00:00-03:00',
      },
      dateForms:
        'Outro formato vai depois de dois-pontos: {today:dd/MM/yyyy}. Uma chave literal se escreve duas vezes.',
      noIntegration: 'Nenhuma: sem autenticação',
      fieldMap: 'Campos da resposta',
      fieldMapHelp:
        'O nome do atributo de cada campo nos elementos retornados; pontos levam a atributos internos (cliente.celular); + junta vários (ddd + numero).',
      emptyMeans: (names: string) => `Vazio: ${names}`,
      emptyMessage: 'Vazio: todos recebem a mensagem da campanha.',
      paging: {
        title: 'Páginas da resposta',
        by: {
          links: 'Uma resposta, ou os links dela para a próxima página',
          page: 'Pelo número da página',
          offset: 'Pela posição do primeiro registro (offset)',
          cursor: 'Por um cursor que a resposta dá',
          none: 'Uma resposta traz todos os contatos, mesmo que mostre mais páginas',
        },
        end: {
          has_next: 'Diz se há próxima página',
          is_last: 'Diz se é a última página',
          total_pages: 'Total de páginas',
          total_records: 'Total de registros',
          empty: 'Em lugar nenhum: acaba na página vazia',
        },
        more: 'A resposta tem mais páginas, e a campanha não diz como buscá-las',
        shows: (seen: string) => `Assim a execução falharia. A resposta mostra: ${seen}.`,
        seen: (path: string, value: string | boolean | null) =>
          value === null ? `“${path}” com um valor` : `“${path}” é ${String(value)}`,
        unknown: 'O formato não é conhecido: preencha “Páginas da resposta” como o serviço documenta.',
        proposal: (words: string) => `Sugestão: ${words}.`,
        numbered: (by: string, param: string, first: string, end: string) =>
          `${by}, no parâmetro “${param}” a partir de ${first}; o fim: ${end}`,
        cursor: (by: string, param: string, path: string) => `${by} em “${path}”, no parâmetro “${param}”`,
        use: 'Usar a sugestão e testar',
      },
      testUrl: 'Testar URL',
      testUrlHelp:
        'Busca agora com o que está no formulário e mostra os primeiros contatos como serão lidos. Nada é guardado nem enviado.',
      downloads: 'e baixar a resposta (.json)',
      testing: 'Buscando…',
      downloadAnswer: 'Baixar a resposta (.json)',
      failed: 'O teste não deu certo',
      noContacts: 'A resposta não tem nenhum contato.',
      first: (count: string, more: boolean) =>
        more
          ? count === '1'
            ? 'O primeiro contato da resposta'
            : `Os primeiros ${count} contatos da resposta`
          : count === '1'
            ? 'O contato da resposta'
            : `Os ${count} contatos da resposta`,
      gets: (phone: string) => `recebe em ${phone}`,
      leftOut: (why: string) => `fica de fora: ${why}`,
      cost: (segments: string, encoding: string) => `${segments}, ${encoding}`,
      attributes: 'Atributos encontrados',
      url: 'Endereço buscado',
    },
  },
  {
    csv: {
      title: 'CSV file',
      layout: 'Download the layout',
      layoutHelp:
        'A CSV like that of the layout: the header, and a line for each contact, with comma or semicolon.',
      replaceHelp: 'The new file counts from the next run on.',
      upload: 'Import the file',
      replace: 'Replace the file',
      present: 'Present file',
      none: 'No file yet.',
      facts: (lines, size) => `${counted(lines, 'line', 'lines')}, ${size}`,
      uploadedAt: 'imported at',
      content: 'Download the file',
      counts: 'The file is kept: the next run uses it.',
      result: (sendable, lines) => `${sendable} of ${counted(lines, 'line', 'lines')} can get the message.`,
      leftOut: 'Will be left out:',
      line: 'Line',
      first: (count) =>
        count === '1' ? 'The line with a problem' : `The first ${count} lines with problems`,
      badLines: 'Download the lines with problems',
      badLinesHelp: 'A CSV with the problem of each line: mend them and import it again.',
      uploading: 'Uploading the file:',
      cancel: 'Cancel the upload',
      checking: 'Checking the lines…',
      refused: 'The file was refused. Nothing of it was kept.',
      expected: 'Expected',
      found: 'Found',
      ownForm: 'If you changed the extra fields, save first: the layout changes with them.',
    },
    webservice: {
      title: 'Web service',
      urlBuilder: 'URL builder',
      dates: 'Use dates in the values',
      datePlaceholders: {
        today: 'the date of the fetch, 2026-11-24',
        yesterday: 'the date before, 2026-11-23',
        lastRunAt: 'when the mailing of the last run that sent was fetched, 2026-11-23T09:00:02-03:00',
        occurrence: 'when the run was due, 2026-11-24T09:00:00-03:00',
      },
      dateForms: 'Another form stands behind a colon: {today:dd/MM/yyyy}. A literal brace is written twice.',
      noIntegration: 'None: no authentication',
      fieldMap: 'Fields of the answer',
      fieldMapHelp:
        'The name of the attribute of each field in the returned elements; dots lead to inner attributes (cliente.celular); + joins several (ddd + numero).',
      emptyMeans: (names) => `Empty: ${names}`,
      emptyMessage: 'Empty: everybody gets the message of the campaign.',
      paging: {
        title: 'Pages of the answer',
        by: {
          links: 'One answer, or its links to the next page',
          page: 'By the number of the page',
          offset: 'By the position of the first record (offset)',
          cursor: 'By a cursor that the answer gives',
          none: 'One answer has all contacts, even if it shows more pages',
        },
        end: {
          has_next: 'Whether there is a next page',
          is_last: 'Whether it is the last page',
          total_pages: 'Total of pages',
          total_records: 'Total of records',
          empty: 'Nowhere: it ends at an empty page',
        },
        more: 'The answer has more pages, and the campaign does not say how to fetch them',
        shows: (seen) => `A run would fail. The answer shows: ${seen}.`,
        seen: (path, value) => (value === null ? `“${path}” has a value` : `“${path}” is ${String(value)}`),
        unknown: 'The shape is not known: fill in “Pages of the answer” as the service documents it.',
        proposal: (words) => `Proposal: ${words}.`,
        numbered: (by, param, first, end) =>
          `${by}, in the parameter “${param}” from ${first}; the end: ${end}`,
        cursor: (by, param, path) => `${by} at “${path}”, in the parameter “${param}”`,
        use: 'Use the proposal and test',
      },
      testUrl: 'Test URL',
      testUrlHelp:
        'Fetches now with what the form has and shows the first contacts as they will be read. Nothing is kept or sent.',
      downloads: 'and download the answer (.json)',
      testing: 'Fetching…',
      downloadAnswer: 'Download the answer (.json)',
      failed: 'The test did not succeed',
      noContacts: 'The answer has no contact.',
      first: (count, more) =>
        more
          ? count === '1'
            ? 'The first contact of the answer'
            : `The first ${count} contacts of the answer`
          : count === '1'
            ? 'The contact of the answer'
            : `The ${count} contacts of the answer`,
      gets: (phone) => `is written to at ${phone}`,
      leftOut: (why) => `is left out: ${why}`,
      cost: (segments, encoding) => `${segments}, ${encoding}`,
      attributes: 'Attributes found',
      url: 'Fetched address',
    },
  },
);
