import { expect } from 'vitest';
import type { Role } from '../../domain/user.ts';
import type { TestApi } from './api.ts';
import { englishWords } from './sentences.ts';

export const inPortuguese = { 'accept-language': 'pt-BR,pt;q=0.9,en;q=0.8' };

/** Records the problems in responses to a Portuguese reader, and rejects sentences in English. */
export function createProblemRecorder(api: TestApi) {
  const seen = new Map<string, string>();
  /** Records every problem in the value, at any depth. */
  function note(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    if ('code' in value && 'message' in value) {
      const { code, message } = value;
      if (typeof code === 'string' && typeof message === 'string') {
        // Quoted values may be English.
        const ours = message.replaceAll(/“[^”]*”|\{[^{}]*\}/g, '');
        expect(ours, code).not.toMatch(englishWords);
        seen.set(code, message);
      }
    }
    Object.values(value).forEach(note);
  }
  return {
    /** The last message of each code. */
    seen,
    note,
    /** Sends a request and records the problems of its response. */
    call: async (
      method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      url: string,
      payload?: string | Buffer | object,
      headers: Record<string, string> = {},
      role: Role = 'admin',
    ): Promise<{ status: number; id: number }> => {
      const answer = await api.as(role)(method, url, payload, { ...inPortuguese, ...headers });
      if (answer.headers['content-type']?.toString().startsWith('application/json') === true)
        note(answer.json());
      return {
        status: answer.statusCode,
        id: answer.statusCode === 201 ? answer.json<{ id: number }>().id : 0,
      };
    },
  };
}
