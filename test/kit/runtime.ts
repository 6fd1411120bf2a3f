import { DefaultLogger, Runtime } from '@temporalio/worker';

// One for each process, which several test files share: of the SDK only errors are told.
Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') });
