import { automaticTextFieldLabels } from '../../domain/words/replies.ts';
import { dictionary } from '../kit/dictionary.ts';

/** Texts that are sent by themselves. */
export const automaticTextWords = dictionary(
  {
    page: {
      title: 'Textos automáticos',
      about: 'Respostas automáticas a descadastros, pedidos de ajuda e palavras-chave',
    },
    intro:
      'Cada texto fica desligado enquanto está em branco. Ele sai pelo provedor para o qual o cliente escreveu, no máximo uma vez a cada 24 horas para o mesmo telefone.',
    placeholders:
      'Até 160 caracteres. {nome}, {primeiro_nome} e {codigo} são preenchidos no envio e ficam de fora quando não se sabe o valor. Acentos são removidos quando isso barateia o SMS.',
    keywords: 'Palavras-chave',
    keywordsHelp:
      'Uma palavra-chave vale quando é a resposta inteira, como as palavras de resposta. O setor e a ocorrência substituem os da campanha no atendimento que a resposta abre; em branco, valem os da campanha.',
    fields: automaticTextFieldLabels['pt-BR'],
    helps: {
      optOut:
        'O único SMS que sai para um telefone descadastrado, uma vez, quando uma palavra de resposta o descadastra.',
      help: 'Para AJUDA e as outras palavras que pedem ajuda.',
    },
    replyWords: 'Palavras de resposta',
    wordsExample: '2VIA, 2ª VIA',
    asInCampaign: 'Como na campanha',
  },
  {
    page: {
      title: 'Automatic texts',
      about: 'Automatic answers to opt-outs, requests for help and keywords',
    },
    intro:
      'Each text is off while it is empty. It leaves through the provider that the customer wrote to, at most once in 24 hours to the same phone.',
    placeholders:
      'Up to 160 characters. {name}, {first_name} and {code} are filled in when it is sent, and left out when they are not known. Accents are removed where that makes the SMS cheaper.',
    keywords: 'Keywords',
    keywordsHelp:
      'A keyword counts when it is the whole reply, as reply words do. Its department and subcategory replace those of the campaign on the ticket that the reply opens; if empty, those of the campaign apply.',
    fields: automaticTextFieldLabels.en,
    helps: {
      optOut: 'The only SMS that goes to an opted-out phone: once, when a reply word opts it out.',
      help: 'For HELP and the other words that ask for help.',
    },
    replyWords: 'Reply words',
    wordsExample: 'INVOICE, COPY',
    asInCampaign: 'As in the campaign',
  },
);
