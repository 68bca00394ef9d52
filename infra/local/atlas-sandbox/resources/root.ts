import { forCaller } from '../operation.ts';

export const rootOperations = [
  forCaller({
    operationId: 'getSystemStatus',
    method: 'GET',
    path: '',
    versions: ['2023-01-01'],
    endpointSet: 'root',
    handle: ({ url }) => ({
      status: 200,
      body: {
        // Service accounts have no API key to show.
        apiKey: null,
        appName: 'MongoDB Atlas',
        build: '0000000000000000000000000000000000000000',
        links: [{ href: url.href, rel: 'self' }],
        throttling: false,
      },
    }),
  }),
];
