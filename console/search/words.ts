import { dictionary } from '../kit/dictionary.ts';

/** The search over everything, in the header of each page and on its own page. */
export const searchWords = dictionary(
  {
    title: 'Pesquisa',
    label: 'Pesquisar em tudo',
    placeholder: 'Nome, telefone ou número',
    shortcut: 'Atalho: / ou Ctrl K',
    found: (query: string) => `Resultados para “${query}”`,
    nothing: 'Nada encontrado',
    nothingText: (query: string) =>
      `Nenhum resultado para “${query}”. Tente o começo de um nome, um telefone (com ou sem DDD) ou o número de uma execução ou de um atendimento.`,
    first: 'O que você procura?',
    firstText:
      'Um cliente ou uma campanha pelo nome, um telefone com ou sem DDD, o número de uma execução ou de um atendimento.',
    more: 'Ver todos',
    all: 'Ver a página de resultados',
    inactive: 'desabilitada',
  },
  {
    title: 'Search',
    label: 'Search everything',
    placeholder: 'Name, phone or number',
    shortcut: 'Shortcut: / or Ctrl K',
    found: (query) => `Results for “${query}”`,
    nothing: 'Nothing found',
    nothingText: (query) =>
      `No result for “${query}”. Try the beginning of a name, a phone (with or without its area code), or the number of a run or a ticket.`,
    first: 'What are you looking for?',
    firstText:
      'A customer or a campaign by name, a phone with or without its area code, the number of a run or a ticket.',
    more: 'See all',
    all: 'See the page of results',
    inactive: 'disabled',
  },
);
