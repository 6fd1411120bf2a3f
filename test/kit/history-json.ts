import { createRequire } from 'node:module';
import type { History } from '@temporalio/common/lib/proto-utils.js';

/**
 * Histories in the JSON format of Temporal's own tools.
 *
 * The SDK's historyToJSON and historyFromJSON cannot be used: npm installs a separate protobufjs for each SDK package,
 * and one copy rejects the types of another. So everything is loaded through the package that defines the types.
 */
const proto = createRequire(createRequire(import.meta.url).resolve('@temporalio/proto'));

interface HistoryType {
  fromObject: (history: History) => History;
}
interface ProtoJson {
  toJson: (type: HistoryType, message: History) => unknown;
}
const { toJson } = proto('protobufjs/ext/protojson') as ProtoJson;
const { patchProtobufRoot } = proto('@temporalio/proto/lib/patch-protobuf-root') as {
  patchProtobufRoot: (root: unknown) => { lookupType(name: string): HistoryType };
};
const historyType = patchProtobufRoot(proto('@temporalio/proto')).lookupType(
  'temporal.api.history.v1.History',
);

export const historyToJson = (history: History): unknown =>
  toJson(historyType, historyType.fromObject(history));
