import { dictionary } from '../kit/dictionary.ts';

/** The conversation with the customer of a ticket. */
export const threadWords = dictionary(
  {
    title: 'Conversa por SMS',
    log: 'Mensagens trocadas com o cliente, da mais antiga à mais nova',
    empty: 'Nenhuma mensagem ainda.',
    from: {
      campaign: 'Campanha',
      customer: 'Cliente',
      opt_out: 'Texto automático: descadastro',
      help: 'Texto automático: ajuda',
      keyword: 'Texto automático: palavra-chave',
    },
    fields: { answer: 'Resposta ao cliente', removeAccents: 'Remover acentos' },
    helps: {
      answer:
        'Até 160 caracteres. {nome}, {primeiro_nome}, {codigo} e os campos extras são preenchidos no envio. Ctrl+Enter envia.',
    },
    send: 'Enviar SMS',
    sent: 'Resposta registrada. O SMS será enviado em instantes.',
    segments: (n: number) => (n === 1 ? '1 segmento' : `${n} segmentos`),
    cost: (characters: string, segments: string, left: string) =>
      `${characters} caracteres, ${segments}, restam ${left} no último`,
    previewEmpty: 'Escreva para ver o tamanho do SMS.',
    erasedText: 'Texto apagado',
    blocked: {
      opted_out: 'Este telefone se descadastrou. Nada é enviado a ele.',
      phone_held:
        'Este telefone está em espera por um descadastro provável. Decida antes, na página de respostas.',
      customer_erased: 'Os dados deste cliente foram apagados: não há telefone para enviar a resposta.',
      ticket_finished: 'Este atendimento está finalizado. Reabra-o para responder.',
    },
    resolve: {
      open: 'Resolver',
      about:
        'Não se sabe se o provedor aceitou este SMS. Confira no painel dele. Nada é reenviado automaticamente.',
      choices: { yes: 'Foi enviada', no: 'Não foi enviada' },
      means: {
        yes: 'Fica como enviada. A confirmação de entrega ainda pode mudar isso.',
        no: 'Fica com falha. Escreva outra resposta, se precisar.',
      },
    },
    quick: 'Resposta rápida',
    insert: 'Usar texto',
    choose: 'Escolha um texto',
  },
  {
    title: 'SMS conversation',
    log: 'Messages exchanged with the customer, oldest first',
    empty: 'No message yet.',
    from: {
      campaign: 'Campaign',
      customer: 'Customer',
      opt_out: 'Automatic text: opt-out',
      help: 'Automatic text: help',
      keyword: 'Automatic text: keyword',
    },
    fields: { answer: 'Answer to the customer', removeAccents: 'Remove accents' },
    helps: {
      answer:
        'Up to 160 characters. {name}, {first_name}, {code} and the extra fields are filled in when it is sent. Ctrl+Enter sends.',
    },
    send: 'Send SMS',
    sent: 'The answer is stored. The SMS will be sent in a moment.',
    segments: (n) => (n === 1 ? '1 segment' : `${n} segments`),
    cost: (characters, segments, left) =>
      `${characters} characters, ${segments}, ${left} left in the last one`,
    previewEmpty: 'Write to see the size of the SMS.',
    erasedText: 'Text erased',
    blocked: {
      opted_out: 'This phone has opted out. Nothing is sent to it.',
      phone_held: 'This phone is held for a probable opt-out. Decide first, on the page of the replies.',
      customer_erased: 'The data of this customer was erased: there is no phone to send an answer to.',
      ticket_finished: 'This ticket is finished. Reopen it to answer.',
    },
    resolve: {
      open: 'Resolve',
      about:
        'It is unknown whether the provider accepted this SMS. Check its portal. Nothing is sent again automatically.',
      choices: { yes: 'It was sent', no: 'It was not sent' },
      means: {
        yes: 'It counts as sent. A delivery receipt may still change that.',
        no: 'It counts as failed. Write another answer if you need to.',
      },
    },
    quick: 'Quick reply',
    insert: 'Use text',
    choose: 'Choose a text',
  },
);
