import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';
import { ApiFailure } from './api.ts';
import { consoleOf } from './request.ts';
import type { FormState } from './form.tsx';
import { FormValues } from './form-data.ts';
import type { NoticeName } from './words.ts';
import { failureWords } from './problems.ts';
import { ViewProvider } from './view.tsx';

declare module 'fastify' {
  interface FastifyReply {
    /** Answers with a whole page. */
    page(this: FastifyReply, page: VNode, status?: number): FastifyReply;
    /** Answers with a part of one, for htmx. */
    fragment(this: FastifyReply, part: VNode): FastifyReply;
    /** After a change: redirects to a page (POST, redirect, GET), which shows what was done. */
    done(this: FastifyReply, to: string, notice?: NoticeName | { words: string }): FastifyReply;
    /** The same, with what could not be done and why. */
    refused(this: FastifyReply, to: string, failure: ApiFailure): FastifyReply;
  }
}

export const noticeCookie = 'torpedo-notice';
/** A notice is for the next page only. */
const noticeSeconds = 30;
const maxNoticeLength = 500;

export function addReplies(app: FastifyInstance, { secure }: { secure: boolean }): void {
  const setNotice = (reply: FastifyReply, kind: 'done' | 'error', text: string): void => {
    reply.setCookie(noticeCookie, `${kind}:${text.slice(0, maxNoticeLength)}`, {
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure,
      maxAge: noticeSeconds,
    });
  };
  app.decorateReply('page', function (page: VNode, status = 200) {
    if (consoleOf(this.request).view.notice) this.clearCookie(noticeCookie, { path: '/' });
    return this.code(status)
      .type('text/html; charset=utf-8')
      .send(`<!doctype html>${html(this, page)}`);
  });
  app.decorateReply('fragment', function (part: VNode) {
    return this.type('text/html; charset=utf-8').send(html(this, part));
  });
  app.decorateReply('done', function (to: string, notice?: NoticeName | { words: string }) {
    if (notice !== undefined) setNotice(this, 'done', typeof notice === 'string' ? notice : notice.words);
    return this.redirect(to, 303);
  });
  app.decorateReply('refused', function (to: string, failure: ApiFailure) {
    setNotice(this, 'error', failureWords(consoleOf(this.request).view.format, failure));
    return this.redirect(to, 303);
  });
}

const html = (reply: FastifyReply, part: VNode): string =>
  renderToString(<ViewProvider view={consoleOf(reply.request).view}>{part}</ViewProvider>);

/** The form that a request sends. */
export const formOf = (request: FastifyRequest): FormValues =>
  request.body instanceof FormValues ? request.body : new FormValues([]);

/** The page that a button's form requests next: a page of the console, else `otherwise`. */
export function backOf(request: FastifyRequest, otherwise: string): string {
  return safePath(formOf(request).text('back')) ?? otherwise;
}

/** The path of a page of ours; null for everything else, so that no link can redirect a user to another site. */
export function safePath(text: string): string | null {
  if (!text.startsWith('/') || /^\/[/\\]/.test(text) || /[\t\n\r\\]/.test(text)) return null;
  const base = 'http://console.invalid';
  if (!URL.canParse(text, base)) return null;
  const { origin, pathname, search } = new URL(text, base);
  if (
    origin !== base ||
    /^\/(api|sign-in|sign-out|choose-password|forgot-password|reset-password|preferences)(\/|$)/.test(
      pathname,
    )
  )
    return null;
  // A path may begin with // again once its dots are resolved.
  return pathname.startsWith('//') ? null : pathname + search;
}

/** The result of a form's action: the next page. */
export interface Done {
  to: string;
  notice?: NoticeName | { words: string };
}

/** The result of a form's action that only this answer contains, such as a new secret. */
export interface Shown {
  page: VNode;
  /** No browser may keep it. */
  secret?: boolean;
}

const maxSent = 1_000;

/**
 * Remembers recently sent forms, by sender, the form's own number (`once`) and its values: a repeated form returns the
 * same result. A form that was changed after the back button counts as a new one. A form without a number is always
 * executed.
 */
export function createOnce<T>() {
  const sent = new Map<string, Promise<T>>();
  return async (request: FastifyRequest, work: () => Promise<T>): Promise<T> => {
    const form = formOf(request);
    if (!form.has('once')) return work();
    const { me } = consoleOf(request).view;
    const content = JSON.stringify([me?.id ?? 0, request.url, ...form.pairs()]);
    const key = createHash('sha256').update(content).digest('base64');
    const before = sent.get(key);
    if (before) return before;
    const now = work();
    sent.set(key, now);
    const [oldest] = sent.keys();
    if (sent.size > maxSent && oldest !== undefined) sent.delete(oldest);
    try {
      return await now;
    } catch (error) {
      sent.delete(key);
      throw error;
    }
  };
}
const submitOnce = createOnce<Done | Shown>();

/**
 * Executes a form's action, then redirects, or shows what only this answer contains. If the API rejects it, shows the
 * form again with its values, and the problems beside their fields. A form with `once` is executed only once, even if it
 * is sent again.
 */
export async function submit(
  request: FastifyRequest,
  reply: FastifyReply,
  work: (form: FormValues) => Promise<Done | Shown>,
  again: (state: FormState) => VNode | Promise<VNode>,
): Promise<FastifyReply> {
  const form = formOf(request);
  const { format } = consoleOf(request).view;
  let done: Done | Shown;
  try {
    done = await submitOnce(request, () => work(form));
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status === 401) throw error;
    const { problems } = error;
    // A problem of no field says why; the failure says of what.
    const failure = problems.some(({ field }) => field !== '') ? undefined : failureWords(format, error);
    return reply.page(await again({ values: form, problems, failure }), error.status);
  }
  if ('page' in done) {
    if (done.secret === true) reply.header('cache-control', 'no-store');
    return reply.page(done.page);
  }
  return reply.done(done.to, done.notice);
}

/** Executes a button's action, then redirects; if the API rejects it, the next page shows why. */
export async function act(
  request: FastifyRequest,
  reply: FastifyReply,
  otherwise: string,
  work: () => Promise<Partial<Done>>,
): Promise<FastifyReply> {
  const back = backOf(request, otherwise);
  let done: Partial<Done>;
  try {
    done = await work();
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status === 401 || error.status === 404) throw error;
    return reply.refused(back, error);
  }
  return reply.done(done.to ?? back, done.notice);
}
