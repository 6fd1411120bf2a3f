import { type AlertKind, alertPage } from './alert.ts';
import type { Format } from './format.ts';
import { alertSentence } from './problems/alerts.ts';

/** The texts that leave the deployment: nothing of a contact is in them, only names of settings, counts and links. */

export interface OutgoingAlert {
  id: number;
  kind: AlertKind;
  subject: string;
  facts: unknown;
  since: Date;
}

/** A longer series is summarized: the console has all of it. */
const maxListed = 30;

const words = {
  en: {
    many: (count: string) => `${count} items need your attention`,
    greeting: (name: string) => `Hello ${name},`,
    intro: 'this needs your attention in Torpedo:',
    since: (at: string) => `since ${at}`,
    more: (count: string) => `… and ${count} more.`,
    all: (url: string) => `See all: ${url}`,
    choose: (url: string) => `You can choose what you receive: ${url}`,
    reset: 'Choose a new password',
    resetText: (url: string, minutes: string) =>
      `someone, probably you, has requested a new password for your user in Torpedo. Choose it here, once and within ${minutes} minutes:\n\n${url}\n\nIf it was not you, ignore this e-mail: your password does not change.`,
    test: 'Test e-mail',
    testText: 'this is a test. Torpedo sends its e-mails to this address.',
    testPost: 'This is a test. Torpedo posts its alerts here.',
  },
  'pt-BR': {
    many: (count: string) => `${count} itens precisam da sua atenção`,
    greeting: (name: string) => `Olá, ${name}.`,
    intro: 'Isto precisa da sua atenção no Torpedo:',
    since: (at: string) => `desde ${at}`,
    more: (count: string) => `… e mais ${count}.`,
    all: (url: string) => `Veja tudo: ${url}`,
    choose: (url: string) => `Você pode escolher o que quer receber: ${url}`,
    reset: 'Escolha uma nova senha',
    resetText: (url: string, minutes: string) =>
      `Alguém, provavelmente você, pediu uma nova senha para o seu usuário no Torpedo. Escolha-a aqui, uma única vez e em até ${minutes} minutos:\n\n${url}\n\nSe não foi você, ignore este e-mail: a sua senha continua a mesma.`,
    test: 'E-mail de teste',
    testText: 'Este é um teste. O Torpedo envia os seus e-mails a este endereço.',
    testPost: 'Este é um teste. Os avisos do Torpedo chegam aqui.',
  },
} as const;

interface Text {
  subject: string;
  text: string;
}

/** The alerts in words, oldest first; omits those of another version. */
export const alertLines = (
  alerts: readonly OutgoingAlert[],
  format: Format,
  publicUrl: string,
): { alert: OutgoingAlert; sentence: string; url: string }[] =>
  alerts.flatMap((alert) => {
    const sentence = alertSentence(alert.kind, alert.facts, format);
    return sentence === null
      ? []
      : [{ alert, sentence, url: publicUrl + alertPage(alert.kind, alert.subject) }];
  });

/** Whose mail it is: the company, if it is set. */
const inBrackets = (company: string, subject: string): string => `[${company || 'Torpedo'}] ${subject}`;
/** At the end of a mail. */
const signature = (company: string): string[] => (company === '' ? [] : [`-- \n${company}`]);

const summaryOf = (lines: readonly { sentence: string }[], format: Format): string =>
  lines.length === 1 ? (lines[0]?.sentence ?? '') : words[format.locale].many(format.number(lines.length));

/** One message for a series of alerts. */
export function alertMail(
  alerts: readonly OutgoingAlert[],
  { name, format, publicUrl, company }: { name: string; format: Format; publicUrl: string; company: string },
): Text {
  const t = words[format.locale];
  const lines = alertLines(alerts, format, publicUrl);
  const listed = lines
    .slice(0, maxListed)
    .map(({ alert, sentence, url }) => `• ${sentence} (${t.since(format.dateTime(alert.since))})\n  ${url}`);
  const more = lines.length - listed.length;
  return {
    subject: inBrackets(company, summaryOf(lines, format)),
    text: [
      `${t.greeting(name)}\n\n${t.intro}`,
      ...listed,
      ...(more > 0 ? [t.more(format.number(more))] : []),
      `${t.all(`${publicUrl}/`)}\n${t.choose(`${publicUrl}/profile`)}`,
      ...signature(company),
    ].join('\n\n'),
  };
}

/** The body of a post. `text` alone is what chat programs show (Slack, Mattermost and others). */
export function alertPost(
  id: number,
  alerts: readonly OutgoingAlert[],
  { format, publicUrl }: { format: Format; publicUrl: string },
): object {
  const t = words[format.locale];
  const lines = alertLines(alerts, format, publicUrl);
  const listed = lines.slice(0, maxListed).map(({ sentence, url }) => `${sentence} ${url}`);
  const more = lines.length - listed.length;
  return {
    id,
    text: [
      ...(lines.length > 1 ? [t.many(format.number(lines.length))] : []),
      ...listed,
      ...(more > 0 ? [t.more(format.number(more))] : []),
    ].join('\n'),
    alerts: lines.map(({ alert: { id: alertId, kind, subject, facts, since }, sentence, url }) => ({
      id: alertId,
      kind,
      subject,
      facts,
      since,
      text: sentence,
      url,
    })),
  };
}

/** The mail with the link to choose a new password. */
export function passwordResetMail({
  name,
  url,
  minutes,
  format,
  company,
}: {
  name: string;
  url: string;
  minutes: number;
  format: Format;
  company: string;
}): Text {
  const t = words[format.locale];
  return {
    subject: inBrackets(company, t.reset),
    text: [t.greeting(name), t.resetText(url, format.number(minutes)), ...signature(company)].join('\n\n'),
  };
}

export function testMail({ name, format, company }: { name: string; format: Format; company: string }): Text {
  const t = words[format.locale];
  return {
    subject: inBrackets(company, t.test),
    text: [t.greeting(name), t.testText, ...signature(company)].join('\n\n'),
  };
}

export const testPost = (format: Format): object => ({
  id: 0,
  text: words[format.locale].testPost,
  alerts: [],
});
