import { counted, dictionary } from '../kit/dictionary.ts';

/** The source of a campaign's contacts: the CSV file and the web service. */
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
      counts:
        'O arquivo foi salvo. Descadastros e falta de consentimento são conferidos em cada execução, e podem deixar mais linhas de fora.',
      result: (sendable: string, lines: string) =>
        `${sendable} de ${counted(lines, 'linha', 'linhas')} ${sendable === '1' ? 'pode' : 'podem'} receber a mensagem.`,
      leftOut: 'Serão deixadas de fora:',
      first: (count: string) =>
        count === '1' ? 'A linha com problema' : `As primeiras ${count} linhas com problema`,
      badLines: 'Baixar as linhas com problema ou aviso',
      badLinesHelp: 'Um CSV com o que há em cada linha: corrija e importe de novo.',
      refused: 'O arquivo foi recusado. Nada foi salvo.',
      ownForm: 'Se você mudou os campos extras, salve antes: o layout muda com eles.',
    },
    webservice: {
      title: 'Webservice',
      urlBuilder: 'Montar URL',
      base: 'URL Base',
      paste: 'Cole um endereço completo: os parâmetros dele são movidos para a lista.',
      whole: 'Endereço completo',
      done: 'Pronto',
      lacking: 'Nenhum registro desta resposta tem estes atributos:',
      attributesHelp: 'Clique num campo da resposta, abaixo, e depois no atributo dele.',
      dates: 'Usar datas nos valores',
      datePlaceholders: {
        today: 'a data da busca, 2026-11-24',
        yesterday: 'a data anterior, 2026-11-23',
        lastRunAt: 'quando foi buscado o mailing da última execução que enviou, 2026-11-23T09:00:02-03:00',
        occurrence: 'a hora marcada da execução, 2026-11-24T09:00:00-03:00',
      },
      dateForms:
        'Outro formato vai depois de dois-pontos: {today:dd/MM/yyyy}. Para escrever { ou }, repita: {{ ou }}.',
      noIntegration: 'Nenhuma: sem autenticação',
      fieldMap: 'Campos da resposta',
      fieldMapHelp:
        'O nome do atributo de cada campo nos elementos retornados; use pontos para atributos internos (cliente.celular) e + para juntar vários (ddd + numero).',
      emptyMeans: (names: string) => `Vazio: ${names}`,
      emptyMessage: 'Vazio: todos recebem a mensagem da campanha.',
      paging: {
        title: 'Páginas da resposta',
        by: {
          links: 'Uma só resposta, ou links para a próxima página',
          page: 'Pelo número da página',
          offset: 'Pela posição do primeiro registro (offset)',
          cursor: 'Por um cursor da resposta',
          last_record: 'Pela chave do último registro recebido',
          none: 'Uma só resposta traz todos os contatos, mesmo que mostre mais páginas',
        },
        end: {
          has_next: 'Mostra se há próxima página',
          is_last: 'Mostra se é a última página',
          total_pages: 'Total de páginas',
          total_records: 'Total de registros',
          empty: 'Em lugar nenhum: uma página vazia é o fim',
        },
        more: 'A resposta tem mais páginas, e a campanha não define como buscá-las',
        shows: (seen: string) => `Com esta configuração, a execução falharia. A resposta mostra: ${seen}.`,
        seen: (path: string, value: string | boolean | null) =>
          value === null
            ? `“${path}” com um valor`
            : path.startsWith('?')
              ? `o número de contatos que o endereço pede (“${path.slice(1)}” é ${String(value)})`
              : `“${path}” é ${String(value)}`,
        unknown: 'O formato não é conhecido: preencha “Páginas da resposta” como o serviço documenta.',
        proposal: (words: string) => `Sugestão: ${words}.`,
        numbered: (by: string, param: string, first: string, end: string) =>
          `${by}, no parâmetro “${param}” a partir de ${first}; o fim: ${end}`,
        cursor: (by: string, param: string, path: string) => `${by} em “${path}”, no parâmetro “${param}”`,
        lastRecord: (by: string, param: string, path: string, end: string) =>
          `${by} (“${path}”), no parâmetro “${param}”; o fim: ${end}`,
        use: 'Usar a sugestão e testar',
      },
      testUrl: 'Testar URL',
      testUrlHelp:
        'Busca agora com os dados do formulário e mostra como os primeiros contatos serão lidos. Para uma campanha salva, o Torpedo guarda os nomes dos atributos sem os valores. Nada é enviado.',
      downloads: 'e baixar a resposta (.json)',
      testing: 'Buscando…',
      downloadAnswer: 'Baixar a resposta (.json)',
      failed: 'O teste falhou',
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
        'A CSV file like the layout: the header and one line for each contact, with commas or semicolons.',
      replaceHelp: 'The next run uses the new file.',
      upload: 'Import the file',
      replace: 'Replace the file',
      present: 'Current file',
      none: 'No file yet.',
      facts: (lines, size) => `${counted(lines, 'line', 'lines')}, ${size}`,
      uploadedAt: 'imported at',
      content: 'Download the file',
      counts:
        'The file is stored. Opt-outs and consent are checked in each run, and may leave out more lines.',
      result: (sendable, lines) => `${sendable} of ${counted(lines, 'line', 'lines')} can get the message.`,
      leftOut: 'Will be skipped:',
      first: (count) =>
        count === '1' ? 'The line with a problem' : `The first ${count} lines with problems`,
      badLines: 'Download the lines with problems',
      badLinesHelp: 'A CSV file with the problem of each line: correct the lines and import it again.',
      refused: 'The file was refused. Nothing was stored.',
      ownForm: 'If you changed the extra fields, save first: the layout changes with them.',
    },
    webservice: {
      title: 'Web service',
      urlBuilder: 'URL builder',
      base: 'Base URL',
      paste: 'Paste a complete address: its parameters are moved to the list.',
      whole: 'Complete address',
      done: 'Done',
      lacking: 'No record of this response has these attributes:',
      attributesHelp: 'Click a field of the response below, then its attribute.',
      dates: 'Use dates in the values',
      datePlaceholders: {
        today: 'the date of the fetch, 2026-11-24',
        yesterday: 'the day before, 2026-11-23',
        lastRunAt: 'when the mailing of the last run that sent was fetched, 2026-11-23T09:00:02-03:00',
        occurrence: 'when the run was due, 2026-11-24T09:00:00-03:00',
      },
      dateForms:
        'Write another format after a colon: {today:dd/MM/yyyy}. To write { or }, double it: {{ or }}.',
      noIntegration: 'None: no authentication',
      fieldMap: 'Fields of the response',
      fieldMapHelp:
        'The name of the attribute of each field in the returned elements; use dots for nested attributes (cliente.celular) and + to join several (ddd + numero).',
      emptyMeans: (names) => `Empty: ${names}`,
      emptyMessage: 'Empty: everyone gets the message of the campaign.',
      paging: {
        title: 'Pages of the response',
        by: {
          links: 'A single response, or links to the next page',
          page: 'By the number of the page',
          offset: 'By the position of the first record (offset)',
          cursor: 'By a cursor in the response',
          last_record: 'By the key of the last record received',
          none: 'A single response has all contacts, even if it shows more pages',
        },
        end: {
          has_next: 'Whether there is a next page',
          is_last: 'Whether it is the last page',
          total_pages: 'Total pages',
          total_records: 'Total records',
          empty: 'Nowhere: an empty page is the end',
        },
        more: 'The response has more pages, and the campaign does not define how to fetch them',
        shows: (seen) => `A run would fail. The response shows: ${seen}.`,
        seen: (path, value) =>
          value === null
            ? `“${path}” has a value`
            : path.startsWith('?')
              ? `the number of contacts that the address requests (“${path.slice(1)}” is ${String(value)})`
              : `“${path}” is ${String(value)}`,
        unknown:
          'The format is unknown: fill in “Pages of the response” according to the documentation of the service.',
        proposal: (words) => `Suggestion: ${words}.`,
        numbered: (by, param, first, end) =>
          `${by}, in the parameter “${param}” from ${first}; the end: ${end}`,
        cursor: (by, param, path) => `${by} at “${path}”, in the parameter “${param}”`,
        lastRecord: (by, param, path, end) =>
          `${by} (“${path}”), in the parameter “${param}”; the end: ${end}`,
        use: 'Use the suggestion and test',
      },
      testUrl: 'Test URL',
      testUrlHelp:
        'Fetches now with the values in the form and shows the first contacts as they will be read. For a saved campaign, Torpedo keeps the attribute names without their values. Nothing is sent.',
      downloads: 'and download the response (.json)',
      testing: 'Fetching…',
      downloadAnswer: 'Download the response (.json)',
      failed: 'The test failed',
      noContacts: 'The response has no contacts.',
      first: (count, more) =>
        more
          ? count === '1'
            ? 'The first contact of the response'
            : `The first ${count} contacts of the response`
          : count === '1'
            ? 'The contact of the response'
            : `The ${count} contacts of the response`,
      gets: (phone) => `gets the message at ${phone}`,
      leftOut: (why) => `is skipped: ${why}`,
      cost: (segments, encoding) => `${segments}, ${encoding}`,
      attributes: 'Attributes found',
      url: 'Fetched address',
    },
  },
);
