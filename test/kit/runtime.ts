import { DefaultLogger, Runtime } from '@temporalio/worker';

// All test files of a process share one runtime. The SDK logs only errors.
Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') });
