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
      'Cada texto fica desligado enquanto está em branco. Ele é enviado pelo provedor para o qual o cliente escreveu, no máximo uma vez a cada 24 horas para o mesmo telefone.',
    placeholders:
      'Até 160 caracteres. {nome}, {primeiro_nome} e {codigo} são preenchidos no envio, e omitidos se não há valor. Acentos são removidos quando isso barateia o SMS.',
    keywords: 'Palavras-chave',
    keywordsHelp:
      'Como as palavras de resposta, uma palavra-chave só vale se for a resposta inteira. O setor e a ocorrência substituem os da campanha no atendimento que a resposta abre; em branco, valem os da campanha.',
    fields: automaticTextFieldLabels['pt-BR'],
    helps: {
      optOut:
        'O único SMS enviado a um telefone descadastrado: uma vez, quando uma palavra de resposta o descadastra.',
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
      'Each text is off while it is empty. It is sent through the provider that the customer wrote to, at most once every 24 hours to the same phone.',
    placeholders:
      'Up to 160 characters. {name}, {first_name} and {code} are filled in when it is sent, and omitted if they have no value. Accents are removed if that makes the SMS cheaper.',
    keywords: 'Keywords',
    keywordsHelp:
      'Like a reply word, a keyword counts only if it is the whole reply. Its department and subcategory replace those of the campaign on the ticket that the reply opens; if empty, those of the campaign apply.',
    fields: automaticTextFieldLabels.en,
    helps: {
      optOut: 'The only SMS that is sent to an opted-out phone: once, when a reply word opts it out.',
      help: 'For HELP and the other words that ask for help.',
    },
    replyWords: 'Reply words',
    wordsExample: 'INVOICE, COPY',
    asInCampaign: 'As in the campaign',
  },
);
