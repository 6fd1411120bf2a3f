import { dictionary } from './dictionary.ts';

/** The labels of the fields of customers and opt-outs, and their states, in pages and in files. */
export const customerLabels = dictionary(
  {
    anyPhone: 'Telefone',
    consents: { granted: 'Concedido', refused: 'Recusado', not_stated: 'Não informado' },
    sources: {
      api: 'API',
      import: 'Importação',
      webservice: 'Webservice',
      reply: 'Resposta por SMS',
      agent: 'Atendimento',
      admin: 'Console',
      provider: 'Provedor',
    },
    inSandbox: 'Celular virtual: só vale no sandbox',
    sandbox: 'Celular virtual',
    erased: 'Pessoa apagada',
    source: 'Origem',
    since: 'Desde',
    fields: {
      code: 'Código',
      name: 'Nome',
      mobile: 'Celular',
      phone: 'Telefone',
      phone2: 'Telefone 2',
      birthDate: 'Data de nascimento',
      regionId: 'Região',
      customerTypeId: 'Tipo de cliente',
      consent: 'Consentimento',
      note: 'Motivo',
    },
  },
  {
    anyPhone: 'Phone',
    consents: { granted: 'Granted', refused: 'Refused', not_stated: 'Not stated' },
    sources: {
      api: 'API',
      import: 'Import',
      webservice: 'Web service',
      reply: 'Reply by SMS',
      agent: 'Agent',
      admin: 'Console',
      provider: 'Provider',
    },
    inSandbox: 'Virtual phone: counts only in the sandbox',
    sandbox: 'Virtual phone',
    erased: 'Person erased',
    source: 'Source',
    since: 'Since',
    fields: {
      code: 'Code',
      name: 'Name',
      mobile: 'Mobile',
      phone: 'Phone',
      phone2: 'Phone 2',
      birthDate: 'Birth date',
      regionId: 'Region',
      customerTypeId: 'Customer type',
      consent: 'Consent',
      note: 'Reason',
    },
  },
);

/** The labels of the privacy settings, by their paths. */
export const privacyFieldLabels = dictionary(
  {
    consentRequired: 'Exigir consentimento prévio',
    messageDays: 'Mensagens de execuções encerradas',
    replyDays: 'Respostas',
    ticketDays: 'Atendimentos finalizados',
    ticketPostDays: 'Envios entregues ao helpdesk',
    inboundEventDays: 'Chamadas dos provedores, sem tratamento',
    mailingFileDays: 'Arquivos de mailing substituídos',
    auditDays: 'Registro de auditoria',
  },
  {
    consentRequired: 'Require prior consent',
    messageDays: 'Messages of runs that have ended',
    replyDays: 'Replies',
    ticketDays: 'Finished tickets',
    ticketPostDays: 'Posts that the helpdesk has accepted',
    inboundEventDays: 'Raw calls of providers',
    mailingFileDays: 'Replaced mailing files',
    auditDays: 'Audit log',
  },
);
