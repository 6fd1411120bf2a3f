import { campaignFieldLabels } from '../../domain/words/campaigns.ts';
import { dictionary } from '../kit/dictionary.ts';

/** The fields of a campaign, by their paths in its document. The labels are those of SPEC. */
export const campaignLabels = dictionary(
  {
    fields: campaignFieldLabels['pt-BR'],
    helps: {
      ignoreConsent: 'Envia qualquer que seja o consentimento do cliente, mas nunca a quem se descadastrou.',
      'schedule.recurrence.rrule': 'Para especialistas, por exemplo FREQ=MONTHLY;BYDAY=1MO.',
      'schedule.recurrence.dayOfMonth':
        'Um mês que não tem este dia é pulado. Para o fim do mês, escolha o último dia.',
      'schedule.timezone': 'As datas e horários do agendamento são deste fuso.',
      'schedule.startsAt': 'Data e hora da primeira ocorrência; a periodicidade conta a partir dela.',
      'schedule.endsAt': 'Nenhuma execução começa depois desta data.',
      'schedule.holidayCalendarId': 'Nestas datas a campanha não executa.',
      'message.template': 'Até 160 caracteres, com as tags.',
      'message.removeAccents':
        'Um só ã, ç ou á reduz o segmento de 160 para 70 caracteres, e a mensagem custa mais.',
      'message.maxSegments':
        'Cada segmento é cobrado. Um contato cuja mensagem precisa de mais é deixado de fora: o texto nunca é cortado.',
      'message.answers':
        'Separe com vírgulas, como CONFIRMAR, CANCELAR. Quem responde a este SMS com uma delas continua recebendo mensagens.',
      'mailing.sendingHoursId':
        'O mailing só é buscado e as mensagens só saem dentro deste horário. O seu padrão está em Meu perfil.',
      'mailing.expiresAfterHours':
        'Contadas a partir da hora marcada. As mensagens não enviadas até lá são canceladas. Vazio: não expira.',
      'mailing.runDespitePending':
        'Desmarcado, uma nova execução não começa enquanto a anterior tiver mensagens não enviadas.',
      'mailing.extraFields':
        'Colunas adicionais do mailing: viram tags da mensagem e são gravadas no atendimento.',
      'mailing.webservice.recordsPath':
        'Só é necessário quando a resposta tem mais de uma lista, por exemplo resultado.itens. Vazio: a lista é encontrada automaticamente.',
      'mailing.webservice.paging.by':
        'O teste da URL reconhece os formatos comuns e sugere um. Se uma resposta mostra mais páginas e a campanha não define como buscá-las, a execução falha.',
      'mailing.webservice.paging.first':
        'O número da primeira página ou posição, em geral 1 ou 0. De um cursor: vazio, se a primeira página não tem.',
      'mailing.webservice.paging.size.param': 'Opcional. Vazio: o tamanho padrão do serviço.',
      'mailing.webservice.paging.end.path':
        'Fora da lista, com pontos para atributos internos: meta.totalPages. Um cabeçalho: header:x-total-count.',
      'mailing.webservice.registerCustomers':
        'Cria um cliente para cada contato, ou atualiza o cliente com o mesmo código ou, na falta dele, com o mesmo telefone.',
      'mailing.webservice.integrationId':
        'Autenticação e cabeçalhos guardados nas configurações. Só vão para os endereços que a integração permite.',
      'safeguards.approval':
        'Depois de ler o mailing, a execução mostra quantas mensagens enviaria e aguarda aprovação.',
      'safeguards.canarySize':
        'Só estas são enviadas primeiro; as demais, se o limite abaixo não for ultrapassado. Vazio: todas de uma vez.',
      'safeguards.canaryMinutes':
        'Tempo de espera pelas confirmações e pelos descadastros das primeiras. O padrão é de 5 minutos.',
      'safeguards.stopAtPercent':
        'Acima deste percentual das mensagens enviadas, a execução é pausada até um usuário decidir. Vazio: sem limite.',
      'safeguards.monthlyBudget':
        'Por exemplo 1.500,00, pelo preço do provedor. Uma execução que o ultrapassaria aguarda aprovação; se ele acabar durante o envio, a execução é pausada. Vazio: sem orçamento próprio.',
      'ticketPolicy.status': 'Com uma solução o atendimento abre como Finalizado; sem ela, como Aberto.',
      'ticketPolicy.resolutionId': 'Opcional. Só se aplica ao status Finalizado.',
    },
  },
  {
    fields: campaignFieldLabels.en,
    helps: {
      ignoreConsent: "Sends regardless of the customer's consent, but never to customers who have opted out.",
      'schedule.recurrence.rrule': 'For experts, such as FREQ=MONTHLY;BYDAY=1MO.',
      'schedule.recurrence.dayOfMonth':
        'Months without this day are skipped. For the end of the month, choose the last day.',
      'schedule.timezone': 'Dates and times of the schedule are in this zone.',
      'schedule.startsAt': 'Date and time of the first occurrence; the recurrence counts from it.',
      'schedule.endsAt': 'No run starts after this time.',
      'schedule.holidayCalendarId': 'The campaign does not run on these dates.',
      'message.template': 'Up to 160 characters, placeholders included.',
      'message.removeAccents':
        'A single ã, ç or á reduces a segment from 160 to 70 characters, and the message costs more.',
      'message.maxSegments':
        'Each segment is billed. A contact whose message needs more is skipped: texts are never truncated.',
      'message.answers':
        'Separated by commas, such as CONFIRM, CANCEL. Customers who answer this SMS with one of them still get messages.',
      'mailing.sendingHoursId':
        'The mailing is fetched and messages are sent only within these hours. Your default is in My profile.',
      'mailing.expiresAfterHours':
        'Counted from the due time of the run. Messages that are unsent by then are cancelled. Empty: the run does not expire.',
      'mailing.runDespitePending':
        'If off, a new run does not start while an earlier one has unsent messages.',
      'mailing.extraFields':
        'Additional columns of the mailing: placeholders of the message, also stored on the ticket.',
      'mailing.webservice.recordsPath':
        'Needed only if the response has more than one list, such as result.items. Empty: the list is found automatically.',
      'mailing.webservice.paging.by':
        'The URL test recognizes common formats and suggests one. If a response shows more pages and the campaign does not define how to fetch them, the run fails.',
      'mailing.webservice.paging.first':
        'The number of the first page or position, usually 1 or 0. For a cursor: empty, if the first page has none.',
      'mailing.webservice.paging.size.param': 'Optional. Empty: the default size of the service.',
      'mailing.webservice.paging.end.path':
        'Outside the list, with dots for nested attributes: meta.totalPages. A header: header:x-total-count.',
      'mailing.webservice.registerCustomers':
        'Creates a customer for each contact, or updates the customer with the same code, otherwise with the same phone.',
      'mailing.webservice.integrationId':
        'Authentication and headers from the settings. They are sent only to the addresses that the integration lists.',
      'safeguards.approval':
        'After reading the mailing, the run shows how many messages it would send, and waits for approval.',
      'safeguards.canarySize':
        'Only these are sent at first; the others follow unless the threshold below is exceeded. Empty: all at once.',
      'safeguards.canaryMinutes':
        'Time for receipts and opt-outs of the first messages to arrive. The default is 5 minutes.',
      'safeguards.stopAtPercent':
        'Above this percentage of the sent messages, the run is paused until a user decides. Empty: no limit.',
      'safeguards.monthlyBudget':
        'For example 1,500.00, at the price of the provider. A run that would exceed it waits for approval; if it is used up while a run is sending, the run is paused. Empty: no budget of its own.',
      'ticketPolicy.status': 'With a resolution the ticket opens as Finished; without one, as Open.',
      'ticketPolicy.resolutionId': 'Optional. Only for the status Finished.',
    },
  },
);
