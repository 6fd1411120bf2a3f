import { usesView } from '../../api/settings/uses.ts';
import type { Problem } from '../../domain/campaign.ts';
import type { Locale } from '../../domain/user.ts';
import { inPortuguese } from './patterns.ts';
import { usesInWords } from './words-uses.ts';

/**
 * The API speaks English. Its sentences in Portuguese: by the sentence itself where it says more than its code, else by
 * the code. What is in neither stays English, which is better than saying less.
 */
const sentences: Readonly<Record<string, string>> = {
  'This field is required.': 'Preencha este campo.',
  'Give the campaign a name.': 'Dê um nome à campanha.',
  'Give the entry a name.': 'Dê um nome.',
  'Give a name.': 'Informe o nome.',
  'Give a phone or a customer.': 'Informe um celular ou um cliente.',
  'This name is taken.': 'Este nome já está em uso.',
  'This login is taken.': 'Este usuário já existe.',
  'There is no such entry.': 'Esta opção não existe mais.',
  'This entry has been archived: choose another.': 'Esta opção foi arquivada: escolha outra.',
  'Write the message.': 'Escreva a mensagem.',
  'Choose the SMS provider.': 'Escolha o provedor de SMS.',
  'The fallback of this provider has been archived: give the provider another one, or none.':
    'O provedor reserva deste provedor foi arquivado: defina outro para ele, ou nenhum.',
  'Say how you know.': 'Diga como você sabe.',
  'Choose where the contacts come from.': 'Escolha de onde vêm os contatos.',
  'Upload the CSV file with the contacts.': 'Envie o arquivo CSV com os contatos.',
  'Give the address of the web service.': 'Informe o endereço do webservice.',
  'Choose the hours in which messages may leave.': 'Escolha o horário de execução.',
  'Choose the department of the tickets.': 'Escolha o setor dos atendimentos.',
  'Choose the assignee of the tickets.': 'Escolha o responsável pelos atendimentos.',
  'Choose the category of the tickets.': 'Escolha o tipo de ocorrência.',
  'Choose the subcategory of the tickets.': 'Escolha a ocorrência.',
  'Choose the resolution of tickets whose SMS was sent.': 'Escolha a solução para o caso de sucesso.',
  'Choose the resolution of tickets whose SMS failed.': 'Escolha a solução para o caso de falha.',
  'A resolution goes only with the status "finished".': 'A solução só acompanha o status Finalizado.',
  'A ticket that opens as finished needs its resolution.':
    'Um atendimento que abre como Finalizado precisa da solução.',
  'Give an address that begins with https:// or http://.':
    'Informe um endereço que comece com https:// ou http://.',
  'Write attribute names with dots between, like cliente.celular.':
    'Escreva nomes de atributos com pontos entre eles, como cliente.celular.',
  'The schedule has no occurrence from now on: move its start or its end.':
    'O agendamento não tem mais nenhuma ocorrência: mude o início ou o fim.',
  'This schedule has no occurrence at all: check the recurrence, its start and its end.':
    'Este agendamento não ocorre nunca: confira a periodicidade, o início e o fim.',
  'The end is not after the start. Expected a later date and time, or none.':
    'O fim não vem depois do início. Informe uma data posterior, ou nenhuma.',
  'Expected a date and time such as 2026-03-31T09:00.': 'Informe data e hora.',
  'There is no such date or time in the calendar.': 'Esta data não existe no calendário.',
  'The year is out of range. Expected 1970 to 2199.': 'O ano deve estar entre 1970 e 2199.',
  'The year is out of range. Expected 1900 to 2199.': 'O ano deve estar entre 1900 e 2199.',
  'This date is in the future.': 'Esta data está no futuro.',
  'This date is before 1970.': 'Esta data é anterior a 1970.',
  'A text holds neither NUL nor half of a surrogate pair.':
    'O texto tem um caractere que não pode ser guardado. Digite-o de novo, sem colar.',
  'This time zone is not known. Expected an IANA name such as America/Sao_Paulo.':
    'Fuso horário desconhecido. Informe um nome como America/Sao_Paulo.',
  'Choose at least one day of the week.': 'Escolha ao menos um dia da semana.',
  'A day of the week stands here twice.': 'Um dia da semana aparece duas vezes.',
  'The interval is not a whole number.': 'Informe um número inteiro.',
  'The interval is too small. Expected at least 1.': 'O intervalo deve ser de ao menos 1.',
  'Expected a day of the month from 1 to 31, or last.': 'Informe um dia de 1 a 31, ou o último.',
  'Expected a time such as 08:00.': 'Informe um horário como 08:00.',
  'Expected a time such as 18:00.': 'Informe um horário como 18:00.',
  'Expected a time from 00:00 to 23:59.': 'Informe um horário de 00:00 a 23:59.',
  'Expected a time from 00:00 to 24:00.': 'Informe um horário de 00:00 a 24:00.',
  'The window ends when it starts. For a whole day give 00:00 to 24:00.':
    'A janela termina quando começa. Para o dia inteiro, informe 00:00 a 24:00.',
  'Give at least one window in which messages may leave.': 'Informe ao menos uma janela de envio.',
  'A date is listed twice.': 'Uma data aparece duas vezes.',
  'A field is listed twice.': 'Um campo aparece duas vezes.',
  'Choose a password of at least 12 characters.': 'Escolha uma senha de ao menos 12 caracteres.',
  'Choose a password of at most 200 characters.': 'Escolha uma senha de no máximo 200 caracteres.',
  'This is not your present password.': 'Esta não é a sua senha atual.',
  'Choose another password than the present one.': 'Escolha uma senha diferente da atual.',
  'Use up to 100 letters without accents, digits and . _ @ + -':
    'Use até 100 letras sem acento, números e . _ @ + -',
  'Say what the token is for.': 'Diga para que serve o token.',
  'An account SID is AC and 32 hexadecimal digits.': 'O account SID é AC e 32 dígitos hexadecimais.',
  'A number with +, a short code, a name of up to 11 letters, or the SID of a Messaging Service (MG…).':
    'Um número com +, um código curto, um nome de até 11 letras ou o SID de um Messaging Service (MG…).',
  'A token without spaces or control characters.': 'Um token sem espaços.',
  'This is not a mobile number that can be written to.': 'Este não é um celular válido.',
  'Expected a mobile number.': 'Informe um número de celular.',
  'This part was changed since you opened it. What you entered is still here: saving again puts it in the place of that change.':
    'Esta parte foi alterada depois que você a abriu. O que você preencheu continua aqui: salvar de novo o põe no lugar daquela alteração.',
  'The upload broke off.': 'O envio do arquivo foi interrompido. Nada foi guardado.',
  'A word needs a letter or a digit.': 'Uma palavra precisa de uma letra ou de um número.',
  'Give at least one word that opts out.': 'Informe ao menos uma palavra que descadastra.',
  'Give at most 50 words.': 'Informe no máximo 50 palavras.',
  'A word has at most 40 characters.': 'Uma palavra tem no máximo 40 caracteres.',
  'The message has no text.': 'A mensagem está vazia.',
  'The message has a control character, which no telephone shows.':
    'A mensagem tem um caractere de controle, que nenhum telefone mostra.',
  'Use up to 40 lower-case letters without accents, digits and _, beginning with a letter.':
    'Use até 40 letras minúsculas sem acento, números e _, começando com uma letra.',
  'This name belongs to a field every mailing has: choose another.':
    'Este nome é de um campo que todo mailing tem: escolha outro.',
  'Leave user and password out of the address: they belong into an integration.':
    'Deixe usuário e senha fora do endereço: eles pertencem a uma integração.',
  'This subcategory belongs to another category: choose one of this category.':
    'Esta ocorrência é de outro tipo: escolha uma deste.',
  'The secrets of this integration can not be opened any more: an admin has to enter them again.':
    'Os segredos desta integração não podem mais ser abertos: um administrador precisa informá-los de novo.',
  'The file is empty.': 'O arquivo está vazio.',
  'The file has a header and no line with a contact.': 'O arquivo só tem o cabeçalho, sem nenhum contato.',
  'Send the file as the body, or as the file of a form.': 'Escolha o arquivo.',
  'A closing quote is followed by more text. A quote inside quotes is written twice.':
    'Depois das aspas que fecham vem mais texto. Aspas dentro de aspas se escrevem duas vezes.',
  'The line has no phone.': 'A linha não tem telefone.',
  'The record has no phone.': 'O contato não tem telefone.',
  'None of the phones can be read.': 'Nenhum dos telefones pode ser lido.',
  'None of the phones is a mobile number.': 'Nenhum dos telefones é um celular.',
  'An earlier line has the same phone.': 'Uma linha anterior tem o mesmo telefone.',
  'An earlier record has the same phone.': 'Um contato anterior tem o mesmo telefone.',
  'The line can not be read.': 'A linha não pode ser lida.',
  'Its text needs more segments than the campaign allows.':
    'O texto precisa de mais segmentos do que a campanha permite.',
  'Its text is empty.': 'O texto fica vazio.',
  'Its own message has a placeholder that is not known, or a single brace.':
    'A mensagem própria tem uma tag desconhecida, ou uma chave sozinha.',
  'The extra fields of the campaign were changed during the upload. Upload the file again.':
    'Os campos extras da campanha foram alterados durante o envio. Envie o arquivo de novo.',
  'Other files are being uploaded.': 'Outros arquivos estão sendo enviados. Tente de novo em instantes.',
  'Other web services are being tried.':
    'Outros webservices estão sendo testados. Tente de novo em instantes.',
  'Expected a recurrence rule such as FREQ=WEEKLY;BYDAY=MO,WE.':
    'Informe uma regra como FREQ=WEEKLY;BYDAY=MO,WE.',
  'The rule is empty. Expected a rule such as FREQ=WEEKLY;BYDAY=MO,WE.':
    'Informe uma regra como FREQ=WEEKLY;BYDAY=MO,WE.',
  'Leave DTSTART out: the rule starts with the schedule.':
    'Deixe DTSTART de fora: a regra começa com o agendamento.',
  'FREQ is missing, as in FREQ=DAILY.': 'Falta FREQ, como em FREQ=DAILY.',
  'Give COUNT or UNTIL, not both.': 'Use COUNT ou UNTIL, não os dois.',
  'Expected a phone number.': 'Informe um número de telefone.',
  'A secret of 20 to 128 letters, digits, _ and -, made by chance.':
    'Um segredo de 20 a 128 letras, números, _ e -, feito ao acaso.',
  'Its fallbacks would lead back to the provider itself.':
    'As reservas levariam de volta ao próprio provedor.',
  'A message to this person or a reply of theirs is under way. Try again in a moment.':
    'Uma mensagem para esta pessoa ou uma resposta dela está em andamento. Tente de novo em instantes.',
  'Another file of customers is being imported.': 'Outro arquivo de clientes está sendo importado.',
  'The import broke off: the database was away for too long. Send the file again; what was taken is not taken twice.':
    'A importação foi interrompida: o banco de dados ficou fora do ar por muito tempo. Envie o arquivo de novo; o que já foi importado não é duplicado.',
  'Give the sender.': 'Informe o remetente.',
  'No control characters.': 'Sem caracteres de controle.',
  "The account's own address, https://xxxxx.api.infobip.com.":
    'O endereço da própria conta, https://xxxxx.api.infobip.com.',
  'This is not JSON.': 'Isto não é um JSON.',
  'The body is nested too deep.': 'O corpo tem níveis demais.',
  'A GET has no body.': 'Um GET não tem corpo.',
  'An address holds neither spaces nor accents: write %20 and the like.':
    'Um endereço não tem espaços nem acentos: escreva %20 e semelhantes.',
  'The address begins with http:// or https:// and a host without placeholders.':
    'O endereço começa com http:// ou https:// e um host sem marcadores.',
  'This is not an address.': 'Isto não é um endereço.',
  'Credentials do not stand in the address: use a header or a secret.':
    'Credenciais não ficam no endereço: use um cabeçalho ou um segredo.',
  'What stands after # is never sent.': 'O que vem depois de # nunca é enviado.',
  'A header is named with letters, digits and -.': 'O nome de um cabeçalho tem letras, números e -.',
  'This header is set by the gateway itself.': 'Este cabeçalho é posto pelo próprio Torpedo.',
  'A header holds ASCII only.': 'Um cabeçalho só tem ASCII.',
  'A name of letters and digits, the first one small.':
    'Um nome de letras e números, começando por minúscula.',
  'A secret without line breaks and accents.': 'Um segredo sem quebras de linha nem acentos.',
  'Name the addresses that may receive it.': 'Informe os endereços que podem recebê-la.',
  'Write an address such as https://api.example.com, with its port if it has one, and without a path.':
    'Escreva um endereço como https://api.exemplo.com.br, com a porta se houver, e sem caminho.',
  'The stored secret was entered for another address. Enter it again to have it sent to this one.':
    'O segredo guardado foi informado para outro endereço. Informe-o de novo para que seja enviado a este.',
  'This can not be the name of a header.': 'Isto não pode ser o nome de um cabeçalho.',
  'This header is set by HTTP itself.': 'Este cabeçalho é posto pelo próprio HTTP.',
  'This header is set by HTTP or by Torpedo itself.': 'Este cabeçalho é posto pelo HTTP ou pelo Torpedo.',
  'Use printable ASCII characters, none of them a space at an end.':
    'Use só caracteres ASCII visíveis, sem espaço no início ou no fim.',
  'It goes into a header: use printable ASCII characters, none of them a space at an end.':
    'Vai em um cabeçalho: use só caracteres ASCII visíveis, sem espaço no início ou no fim.',
  'A user name has no colon and no control character.': 'Um usuário não tem dois-pontos.',
  'A secret has no control character.': 'Um segredo não tem caracteres de controle.',
  'Give the password.': 'Informe a senha.',
  'Give the token.': 'Informe o token.',
  'Give the key.': 'Informe a chave.',
  'Give the client secret.': 'Informe o client secret.',
  'Expected an address that begins with https:// or http://.':
    'Informe um endereço que comece com https:// ou http://.',
  'Leave user and password out of the address: give them as a header.':
    'Deixe usuário e senha fora do endereço: informe-os em um cabeçalho.',
  'Choose at least one event.': 'Escolha ao menos um acontecimento.',
  'Use 24 to 200 characters without spaces or accents.':
    'Use de 24 a 200 caracteres sem espaços nem acentos.',
  'Give the secret that the posts are signed with.': 'Informe o segredo com que os envios são assinados.',
};

const codes: Readonly<Record<string, string>> = {
  message_too_long: 'O texto precisa de mais segmentos do que a mensagem pode ter.',
  message_empty: 'O texto fica vazio.',
  placeholder_unknown: 'Há uma tag desconhecida.',
  missing: 'Preencha este campo.',
  invalid: 'Valor inválido.',
  too_small: 'Valor curto ou pequeno demais.',
  too_big: 'Valor longo ou grande demais.',
  taken: 'Já está em uso.',
  unknown: 'Esta opção não existe mais.',
  archived: 'Esta opção foi arquivada: escolha outra.',
  phone_missing: 'Informe um telefone.',
  phone_invalid: 'Este telefone não existe.',
  not_a_mobile: 'Este telefone não é um celular.',
};

/** By the API's error codes, for errors that belong to no field. */
const failures: Readonly<Record<string, string>> = {
  invalid_parameters: 'O endereço desta página tem um valor inválido.',
  unauthenticated: 'Sua sessão terminou. Entre de novo.',
  login_failed: 'Usuário ou senha incorretos.',
  forbidden: 'O seu perfil de acesso não permite isto.',
  cross_site: 'O pedido veio de outro site e foi recusado.',
  not_found: 'Isto não existe (mais).',
  upload_broken: 'O envio foi interrompido. Nada foi guardado.',
  upload_too_slow: 'O envio demorou demais. Nada foi guardado.',
  version_conflict: 'Outra pessoa alterou isto enquanto você editava. Abra de novo e refaça a sua alteração.',
  name_taken: 'Este nome já está em uso.',
  in_use: 'Está em uso e não pode ser excluído. Arquive-o.',
  webservice_refused: 'O webservice não dá o que um mailing precisa.',
  has_runs: 'Uma campanha que já executou é mantida, com suas mensagens. Desabilite-a.',
  campaign_enabled: 'A campanha está habilitada. Desabilite-a antes.',
  not_enabled: 'A campanha não está habilitada.',
  run_pending: 'Uma execução anterior desta campanha ainda tem pendências.',
  run_ended: 'A execução já terminou.',
  not_unknown: 'A situação da mensagem já é conhecida: não há o que resolver.',
  unknown_changed: 'O número de mensagens incertas mudou. Confira e confirme de novo.',
  restore_unsettled:
    'O banco de dados foi restaurado de um backup, e os provedores ainda estão sendo consultados sobre quem se descadastrou depois dele. Nada é enviado antes disso, a menos que um administrador decida seguir sem a consulta.',
  run_not_over: 'Só as mensagens de uma execução concluída ou cancelada podem ser reenviadas.',
  nothing_to_resend: 'Não há mais nada a reenviar.',
  resend_changed: 'O número de mensagens a reenviar mudou. Confira e confirme de novo.',
  run_not_failed: 'Só uma execução que falhou pode ser retomada.',
  secret_key_missing:
    'Os segredos foram cifrados com uma chave que não está configurada. Informe-os de novo, ou ponha a chave em SECRET_KEYS.',
  last_admin: 'Este é o último administrador ativo. Torne outra pessoa administradora antes.',
  opted_out: 'Este telefone pediu para não receber mensagens. Nada é enviado a ele.',
  too_large: 'É grande demais.',
  invalid_fields: 'Há campos a corrigir.',
  incomplete_campaign: 'A campanha não está completa.',
  mailing_refused: 'O arquivo não pode ser usado como mailing. Nada dele foi guardado.',
  not_for_tokens: 'Um token de API não pode fazer isto. Entre com um usuário.',
  password_change_required: 'Escolha primeiro a sua própria senha.',
  rate_limited: 'Muitos pedidos. Espere um pouco e tente de novo.',
  internal: 'Algo deu errado no sistema. O registro diz mais.',
  database_unavailable: 'O banco de dados não responde. Tente de novo em instantes.',
  temporal_unavailable: 'O Temporal não responde. Tente de novo em instantes.',
  worker_unavailable:
    'Nenhum worker respondeu a tempo. O pedido ainda pode ser atendido: confira antes de repetir.',
  sandbox_unavailable: 'O sandbox não responde, ou não há provedor deste tipo.',
  busy: 'O sistema está ocupado com outros pedidos iguais. Tente de novo em instantes.',
};

/** A problem of a field, for a person. */
export const problemWords = (locale: Locale, { code, message }: Problem): string =>
  locale === 'en' ? message : (sentences[message] ?? inPortuguese(message) ?? codes[code] ?? message);

/** A refusal of the API, for a person. */
export function failureWords(
  locale: Locale,
  {
    code,
    message,
    details = {},
  }: { code: string; message: string; details?: Readonly<Record<string, unknown>> },
): string {
  if (locale === 'en') return message;
  const uses = usesView.safeParse(details);
  if (code === 'in_use' && uses.success && uses.data.usedBy.length > 0) {
    return `Não pode ser excluído. Em uso: ${usesInWords(locale, uses.data.usedBy)}. Arquive-o.`;
  }
  return sentences[message] ?? inPortuguese(message) ?? failures[code] ?? message;
}
