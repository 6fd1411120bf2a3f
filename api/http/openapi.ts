import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import {
  createJsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
} from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { z } from 'zod';
import { errorBody } from './errors.ts';

const docsPath = '/api/docs';

const description = `
Torpedo runs SMS campaigns. Programs send an API token (\`Authorization: Bearer tpd_…\`); people log in
(\`POST /api/session\`) and get a cookie. Each operation names the role it needs: an admin may do what an operator may,
and an operator what a viewer may.

Every error has one shape: \`{ "error": { "code", "params", "message", "problems"?, "requestId" } }\`. Programs decide by the
code and its parameters; \`message\` is a sentence for people, in the language that \`Accept-Language\` asks for (English or
Portuguese). \`problems\` names every field that is missing or wrong, at once, each with its \`field\`, \`code\`, \`params\` and
\`message\`. Lists come in pages: give the last id of a page as
\`before\` to get the next.
`;

/**
 * The OpenAPI document, generated from the same zod schemas that check the requests, and its page at /api/docs. Open to
 * everyone: it is the same for every deployment and contains no data of this one, and users log in from it.
 */
export async function addOpenApi(app: FastifyInstance): Promise<void> {
  app.setSerializerCompiler(serializerCompiler);
  const toJsonSchema = createJsonSchemaTransform({});
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: { title: 'Torpedo', description, version: '1' },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          // Over TLS its name begins with __Host-.
          session: { type: 'apiKey', in: 'cookie', name: 'torpedo' },
        },
      },
    },
    transformObject: jsonSchemaTransformObject,
    transform: (input) => {
      const { schema, url } = toJsonSchema(input);
      const { access, usersOnly } = input.route.config ?? {};
      const needs =
        access === undefined || access === 'open'
          ? 'Open.'
          : `Needs the role ${access}.${usersOnly ? ' Not for API tokens.' : ''}`;
      return {
        url,
        schema: {
          ...schema,
          description: [schema.description, needs].filter(Boolean).join('\n\n'),
          security: access === 'open' ? [] : [{ [usersOnly ? 'session' : 'token']: [] }],
          response: { ...answersOf(schema), default: anError },
        },
      };
    },
  });
  await app.register(async (docs) => {
    // The plugin creates the page's routes, and does not know our route config.
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'open' };
    });
    await docs.register(swaggerUi, {
      routePrefix: docsPath,
      uiConfig: { persistAuthorization: false, docExpansion: 'none', tagsSorter: 'alpha' },
      staticCSP: {
        'default-src': "'none'",
        'script-src': "'self'",
        'style-src': "'self' 'unsafe-inline'",
        'img-src': "'self' data:",
        'connect-src': "'self'",
        'font-src': "'self'",
        'frame-ancestors': "'none'",
      },
    });
  });
}

const anError = {
  description: 'An error',
  content: { 'application/json': { schema: z.toJSONSchema(errorBody, { target: 'openapi-3.0' }) } },
};

/** The success response of a route; a route without a schema for it returns a file of the type it names. */
function answersOf({ response, produces = [] }: FastifySchema): object {
  if (typeof response !== 'object' || response === null) {
    return {
      200: {
        description: 'The file, or the stream',
        // A JSON file is returned as its service sent it, and OpenAPI 3.0 cannot describe events.
        content: Object.fromEntries(
          produces.map((type) => [type, { schema: type.startsWith('text/csv') ? { type: 'string' } : {} }]),
        ),
      },
    };
  }
  // The library describes the missing body of a 204 as null.
  return { ...response, ...('204' in response ? { 204: { type: 'null', description: 'Done' } } : {}) };
}
