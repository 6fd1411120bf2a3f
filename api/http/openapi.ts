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
The Torpedo API manages SMS campaigns. Programs authenticate with an API token (\`Authorization: Bearer tpd_…\`). Users
log in with \`POST /api/session\` and receive a cookie. Each operation lists the role that it requires. An operator can do
everything that a viewer can, and an admin everything that an operator can.

All errors have the same format: \`{ "error": { "code", "params", "message", "problems"?, "requestId" } }\`. Programs should
use \`code\` and \`params\`. \`message\` is text for people, in the language of \`Accept-Language\` (English or Portuguese).
\`problems\` lists all missing and invalid fields, each with its \`field\`, \`code\`, \`params\` and \`message\`.

Lists are paginated: to get the next page, pass the last id of the current page as \`before\`.
`;

/**
 * The OpenAPI document, generated from the same zod schemas that check the requests, and its page at /api/docs. Open to
 * everyone: it is the same in every deployment, contains no data, and users can log in from its page.
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
      const requirement =
        access === undefined || access === 'open'
          ? 'Requires no login.'
          : `Requires the role \`${access}\`.${usersOnly ? ' Not available to API tokens.' : ''}`;
      return {
        url,
        schema: {
          ...schema,
          description: [schema.description, requirement].filter(Boolean).join('\n\n'),
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

/** The success response of a route. A route without a response schema returns a file of the type in `produces`. */
function answersOf({ response, produces = [] }: FastifySchema): object {
  if (typeof response !== 'object' || response === null) {
    return {
      200: {
        description: 'The file or the event stream',
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
