import { privacyFieldLabels } from '../../domain/words/customers.ts';
import { counted, dictionary } from '../kit/dictionary.ts';

/** What a data subject may request, and for how long data is kept. */
export const privacyWords = dictionary(
  {
    page: {
      title: 'Privacidade',
      about: 'Consentimento, prazos de retenção, exportação e exclusão de dados pessoais',
    },
    keep: 'Consentimento e prazos de retenção',
    keepHelp:
      'Em dias, contados do fim, por exemplo de uma execução ou de um atendimento. Em branco: sem prazo. Dados mais antigos são apagados em até uma hora.',
    person: 'Dados de uma pessoa',
    personHelp:
      'Exporte ou apague os dados. Procure pelo telefone ou pelo código. Para uma linha de mailing que só tem nome, use o número que está na página da mensagem. Para um cliente, também é possível usar a página dele.',
    find: 'Procurar',
    severalTitle: 'O telefone é de mais de um cliente',
    several: 'Escolha o cliente:',
    customer: (id: string) => `Cliente ${id}`,
    holding: 'Dados armazenados',
    name: 'Cliente',
    noName: 'Sem cadastro',
    phones: 'Telefones',
    codes: 'Códigos',
    messages: 'Mensagens',
    queued: 'Não enviadas',
    replies: 'Respostas',
    tickets: 'Atendimentos',
    optOuts: 'Descadastros',
    export: 'Exportar',
    exportText:
      'Todos os dados armazenados sobre a pessoa, em um arquivo JSON. Os arquivos de mailing não são pesquisados.',
    download: 'Baixar o arquivo',
    erase: 'Apagar a pessoa',
    goes: 'O que é apagado',
    goesItems: {
      record: 'nome, código, telefones e todos os outros dados do cadastro, com o histórico de consentimento',
      texts: 'os textos e telefones das mensagens, respostas e atendimentos, e as chamadas dos provedores',
      queued: 'as mensagens não enviadas, que são canceladas',
    },
    stays: 'O que permanece',
    staysItems: {
      figures:
        'o registro de que uma mensagem foi enviada, quando e com que resultado: os números das execuções não mudam',
      optOut:
        'o descadastro e a recusa de consentimento, como um hash com chave do telefone: a pessoa continua sem receber nada',
      files: 'os arquivos de mailing, como foram importados: substitua os que ainda contêm dados da pessoa',
    },
    eraseButton: 'Apagar para sempre',
    confirmMissing: 'Marque a confirmação.',
    erasedTitle: 'Pessoa apagada',
    erasedText: (messages: string, replies: string, tickets: string) =>
      `Apagados os dados de ${counted(messages, 'mensagem', 'mensagens')}, ${counted(replies, 'resposta', 'respostas')} e ${counted(tickets, 'atendimento', 'atendimentos')}.`,
    files: 'Arquivos de mailing que ainda contêm dados da pessoa',
    filesHelp: 'As próximas execuções enviariam mensagens a ela de novo: importe arquivos sem os dados dela.',
    current: 'arquivo atual',
    former: 'arquivo anterior',
    back: 'Voltar',
    fields: {
      ...privacyFieldLabels['pt-BR'],
      phone: 'Telefone',
      code: 'Código',
      messageId: 'Número da mensagem',
      confirmed: 'Sei que isto não pode ser desfeito',
    },
    helps: {
      consentRequired:
        'Só clientes que deram consentimento recebem SMS, exceto de campanhas que o desconsideram.',
      messageDays: 'Apaga telefones, nomes, códigos e textos; os números ficam.',
      replyDays: 'Apaga telefones e textos.',
      ticketDays: 'Apaga telefones, nomes, códigos, campos extras e notas.',
      phone: 'Por exemplo (11) 98888-7777.',
    },
  },
  {
    page: { title: 'Privacy', about: 'Consent, retention, export and erasure of personal data' },
    keep: 'Consent and retention',
    keepHelp:
      'In days after the end, for example of a run or a ticket. Empty: no limit. Older data is deleted within an hour.',
    person: "A person's data",
    personHelp:
      "Export or erase it. Look up a phone or a code. For a line of a mailing that has only a name, use the number on the page of its message. For a customer, you can also use the customer's page.",
    find: 'Look up',
    severalTitle: 'More than one customer has this phone',
    several: 'Choose the customer:',
    customer: (id) => `Customer ${id}`,
    holding: 'Stored data',
    name: 'Customer',
    noName: 'No customer',
    phones: 'Phones',
    codes: 'Codes',
    messages: 'Messages',
    queued: 'Not sent yet',
    replies: 'Replies',
    tickets: 'Tickets',
    optOuts: 'Opt-outs',
    export: 'Export',
    exportText: 'All stored data about the person, as a JSON file. Mailing files are not searched.',
    download: 'Download the file',
    erase: 'Erase the person',
    goes: 'What is erased',
    goesItems: {
      record: 'name, code, phones and all other data of the customer, with the consent history',
      texts: 'the texts and phones of messages, replies and tickets, and the calls of providers',
      queued: 'unsent messages, which are cancelled',
    },
    stays: 'What stays',
    staysItems: {
      figures: 'the fact that a message was sent, when, and its outcome: the figures of runs do not change',
      optOut:
        'the opt-out and the refusal of consent, as a keyed hash of the phone: the person still gets no messages',
      files: "mailing files, as uploaded: replace those that still contain the person's data",
    },
    eraseButton: 'Erase permanently',
    confirmMissing: 'Tick the confirmation.',
    erasedTitle: 'Person erased',
    erasedText: (messages, replies, tickets) =>
      `Erased the data of ${counted(messages, 'message', 'messages')}, ${counted(replies, 'reply', 'replies')} and ${counted(tickets, 'ticket', 'tickets')}.`,
    files: "Mailing files that still contain the person's data",
    filesHelp: 'The next runs would send messages to the person again: upload files without their data.',
    current: 'current file',
    former: 'previous file',
    back: 'Back',
    fields: {
      ...privacyFieldLabels.en,
      phone: 'Phone',
      code: 'Code',
      messageId: 'Number of the message',
      confirmed: 'I know that this cannot be undone',
    },
    helps: {
      consentRequired:
        'Only customers who have granted it get an SMS, except from campaigns that ignore consent.',
      messageDays: 'Deletes phones, names, codes and texts; the numbers stay.',
      replyDays: 'Deletes phones and texts.',
      ticketDays: 'Deletes phones, names, codes, extra fields and notes.',
      phone: 'For example (11) 98888-7777.',
    },
  },
);
