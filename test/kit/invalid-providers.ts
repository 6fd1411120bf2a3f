/** Requests that add a provider and are rejected, each for other reasons. */
export const invalidProviders: readonly object[] = [
  {
    name: 'P',
    config: { kind: 'twilio', accountSid: 'x', from: '' },
    secrets: { kind: 'twilio', authToken: 'a b' },
  },
  {
    name: 'P',
    config: {
      kind: 'twilio',
      accountSid: 'x',
      from: '',
      region: '1',
      apiKeySid: 'x',
      sharedKeyId: 'a b',
    },
    secrets: { kind: 'twilio', authToken: 'x' },
  },
  {
    name: 'P',
    segmentProfile: 'portuguese',
    config: { kind: 'zenvia', from: 'x' },
    secrets: { kind: 'zenvia', apiToken: 'x', callbackSecret: 'x'.repeat(20) },
  },
  {
    name: 'P',
    config: { kind: 'infobip', baseUrl: 'https://infobip.example', from: 'a\u0001' },
    secrets: { kind: 'infobip', apiKey: 'x', callbackSecret: 'short' },
  },
  {
    name: 'P',
    config: { kind: 'zenvia', from: 'x' },
    secrets: { kind: 'twilio', authToken: 'x' },
  },
  {
    name: 'P',
    config: {
      kind: 'http',
      request: { method: 'POST', url: 'https://gateway.example/' },
      inbound: { format: 'json', text: 'text' },
      callbackAnswer: { status: 204, body: 'ACK' },
    },
    secrets: { kind: 'http', callbackSecret: 'x'.repeat(20) },
  },
];

/** Changes of the request of an HTTP gateway, or its secret values, that are rejected. */
export const invalidGateways: readonly { request?: object; values?: object }[] = [
  {
    request: {
      url: 'https://gateway.example/{',
      headers: { 'a b': '{to}', Host: 'x', 'X-A': '{text}' },
    },
  },
  ...['https://é/', 'ftp://gateway', 'http://[::/', 'https://a:b@gateway/', 'https://gateway/#a'].map(
    (url) => ({ request: { url } }),
  ),
  { request: { url: 'https://gateway.example/{nobody}', headers: { 'X-A': 'é' } } },
  { request: { method: 'GET', body: { kind: 'form', fields: { to: '{to}' } } } },
  { request: { url: 'https://gateway.example/{secret.key}' } },
  { request: { url: 'https://gateway.example/{json:to}' } },
  { values: { Ä: 'x', key: 'é' } },
  {
    request: {
      body: {
        kind: 'form',
        fields: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`f${index}`, 'x'])),
      },
    },
  },
];

/** Changes of a valid integration, or its secrets, that are rejected. */
export const invalidIntegrations: readonly { config?: object; secrets?: object }[] = [
  { config: { authentication: { kind: 'basic', user: 'a:b' } }, secrets: { secret: 'a\u0001' } },
  { config: { origins: [] } },
  { config: { origins: ['https://a/b'] } },
  { config: { headers: [{ name: 'a b', value: ' é' }] } },
  { config: { headers: [{ name: 'Host', value: 'x' }] } },
  { config: { headers: [{ name: 'Authorization', value: 'x' }] } },
  { config: { headers: [{ name: 'X-Key', value: null }] } },
  { secrets: { secret: 'hush', headers: { 'X-Other': 'x' } } },
  {
    config: { authentication: { kind: 'api_key', in: 'header', name: 'X-Key' } },
    secrets: { secret: 'é' },
  },
  { secrets: {} },
];
