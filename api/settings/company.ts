import { createHash } from 'node:crypto';
import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import {
  getCompany,
  getLogo,
  lockCompany,
  setCompanyName,
  setLogo,
  type Company,
} from '../../db/settings/company.ts';
import type { Database } from '../../db/core/client.ts';
import { changesBetween } from '../../domain/changes.ts';
import {
  companyName,
  keptLogo,
  logoTypes,
  maxLogoBytes,
  maxLogoPixels,
  readLogo,
} from '../../domain/company.ts';
import { problem } from '../../domain/problems/coded.ts';
import { audit } from '../http/auth.ts';
import { ApiError } from '../http/errors.ts';
import { readUpload, uploadedFile } from '../http/uploads.ts';
import { nameVersion, requireVersion, versionHeaders } from '../http/versions.ts';

export const companyContent = z.strictObject({ name: companyName });

export const companyView = z.object({
  /** Empty: none is set. */
  name: z.string(),
  logo: keptLogo
    .omit({ hash: true })
    .extend({
      /** Changes with the image, so that browsers may cache it forever. */
      url: z.string(),
    })
    .nullable(),
});

const logoUpload = { bytes: maxLogoBytes, idleMs: 10_000, totalMs: 60_000 };
const logoFileNames = { 'image/png': 'logo.png', 'image/jpeg': 'logo.jpg', 'image/webp': 'logo.webp' };

/** The company's name and logo, which the sign-in page shows to everybody. */
export const company: FastifyPluginAsyncZod<{ sql: Database }> = async (app, { sql }) => {
  const tags = ['settings'];
  const subject = { kind: 'company', id: null } as const;
  await app.register(multipart, { limits: { files: 1, fields: 5, fileSize: maxLogoBytes + 1 } });
  app.addContentTypeParser([...logoTypes, 'application/octet-stream'], (_request, payload, done) =>
    done(null, payload),
  );

  app.get(
    '',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Get the name and logo of the company',
        description: 'Requires no login, because the sign-in page shows them.',
        response: { 200: companyView },
      },
    },
    async (_request, reply) => {
      const found = await getCompany(sql);
      nameVersion(reply, { name: found.name });
      return viewOf(found);
    },
  );

  app.put(
    '',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set the name of the company',
        description:
          'The name appears in the console, in the titles of its pages, on printed reports and in e-mails. An empty string removes it.',
        headers: versionHeaders,
        body: companyContent,
        response: { 200: companyView },
      },
    },
    async (request) => {
      const { name } = request.body;
      return sql.begin(async (tx) => {
        const before = await lockCompany(tx);
        requireVersion(request, { name: before.name });
        await setCompanyName(tx, name);
        const changes = changesBetween({ name: before.name }, { name });
        await audit(tx, request, 'company.update', subject, { name }, changes);
        return viewOf({ ...before, name });
      });
    },
  );

  app.get(
    '/logo',
    {
      config: { access: 'open' },
      schema: {
        tags,
        summary: 'Get the logo of the company',
        description: 'Returns the image as PNG, JPEG or WebP; the status is 404 if there is no logo.',
        produces: [...logoTypes],
        querystring: z.strictObject({ v: z.string().max(100).optional() }),
      },
    },
    async (request, reply) => {
      const logo = await getLogo(sql);
      if (!logo) throw new ApiError('not_found', { params: { noun: null, id: null } });
      const { type, hash } = logo.facts;
      return (
        reply
          .type(type)
          // Prevents a browser that opens the address directly from treating it as anything but an image.
          .header('x-content-type-options', 'nosniff')
          .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'; sandbox")
          .header('content-disposition', `inline; filename="${logoFileNames[type]}"`)
          .header(
            'cache-control',
            request.query.v === hash ? 'public, max-age=31536000, immutable' : 'no-cache',
          )
          .send(logo.content)
      );
    },
  );

  app.put(
    '/logo',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Set the logo of the company',
        description: `Send the image as the body or in a form: PNG, JPEG or WebP, at most ${maxLogoBytes / 1024} KiB and ${maxLogoPixels} pixels on each side. The type is detected from the content. SVG is refused, because it may contain scripts.`,
        consumes: [...logoTypes, 'multipart/form-data'],
        response: { 200: companyView },
      },
    },
    async (request) => {
      const { stream } = await uploadedFile(request);
      const chunks: Uint8Array[] = [];
      for await (const chunk of readUpload(stream, logoUpload)) chunks.push(chunk);
      const content = Buffer.concat(chunks);
      const facts = factsOf(content);
      return sql.begin(async (tx) => {
        const before = await lockCompany(tx);
        await setLogo(tx, { content, facts });
        const { type, width, height } = facts;
        await audit(tx, request, 'company.logo', subject, { type, width, height, bytes: content.length });
        return viewOf({ ...before, logo: facts });
      });
    },
  );

  app.delete(
    '/logo',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'Delete the logo of the company', response: { 204: z.null() } },
    },
    async (request, reply) => {
      await sql.begin(async (tx) => {
        if ((await lockCompany(tx)).logo === null) return;
        await setLogo(tx, null);
        await audit(tx, request, 'company.logo', subject, { removed: true });
      });
      return reply.code(204).send(null);
    },
  );
};

function viewOf({ name, logo }: Company): z.input<typeof companyView> {
  if (logo === null) return { name, logo };
  const { hash, ...facts } = logo;
  return { name, logo: { ...facts, url: `/api/settings/company/logo?v=${hash}` } };
}

/** @throws {ApiError} invalid_fields: not an image that may be shown */
function factsOf(content: Buffer) {
  if (content.length === 0)
    throw new ApiError('invalid_fields', { problems: [problem('file', 'missing', { what: 'upload' })] });
  const found = readLogo(content);
  if (found === null) throw new ApiError('invalid_fields', { problems: [problem('file', 'logo_type')] });
  const { width, height } = found;
  if (Math.max(width, height) > maxLogoPixels) {
    const params = { width, height, maximum: maxLogoPixels };
    throw new ApiError('invalid_fields', { problems: [problem('file', 'logo_size', params)] });
  }
  return { ...found, hash: createHash('sha256').update(content).digest('hex').slice(0, 16) };
}
