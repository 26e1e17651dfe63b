import { describe, expect, it } from 'vitest';

import { codeOf, sourceOf } from '../support/sources.ts';

/** What each public door exports. Adding a name is a decision; removing one is a new major version. */
const DOORS: Record<string, { values: string[]; types: string[] }> = {
  'src/index.ts': {
    values: ['PluginError', 'PluginManager', 'quantileOf', 'typedSpec'],
    types: [
      'BusEvent',
      'CallCounts',
      'ChildSpec',
      'CloseReport',
      'CpuProfileOptions',
      'CpuProfileReport',
      'CrashReason',
      'CrashReport',
      'DeadLetter',
      'DeadLetterReason',
      'DependencySpec',
      'DiscoverOptions',
      'EntrySpec',
      'ErrorCode',
      'EventBus',
      'ExecuteOptions',
      'GroupChildListing',
      'GroupHandle',
      'GroupOptions',
      'GroupSpec',
      'HealthReport',
      'HeapSnapshotOptions',
      'HeapSnapshotReport',
      'HistogramSample',
      'HttpHost',
      'InputOf',
      'KernelEvent',
      'KernelEventType',
      'KernelListener',
      'Latency',
      'Limits',
      'LockOptions',
      'MailboxOptions',
      'ManagerContext',
      'MetricLabels',
      'MetricSample',
      'OutputOf',
      'PathSpec',
      'Permissions',
      'PluginHandle',
      'PluginListing',
      'PluginManagerOptions',
      'PluginMetadata',
      'PluginSpec',
      'PluginState',
      'PluginStats',
      'PluginType',
      'PluginVersion',
      'ProfiledFunction',
      'ReloadOptions',
      'ReloadResult',
      'ReloadStrategy',
      'ReplicaHealth',
      'ReplicaRange',
      'ReplicaSpec',
      'ReplicaStats',
      'RestartOptions',
      'SharedState',
      'TypedHandle',
      'TypedSpec',
      'WasmOptions',
    ],
  },
  'src/plugin.ts': {
    values: ['definePlugin', 'defineTool', 'quantileOf', 'transfer'],
    types: [
      'BusEvent',
      'Call',
      'CallOptions',
      'Counter',
      'EventBus',
      'Gauge',
      'GuestHost',
      'Histogram',
      'HistogramSample',
      'JsonSchema',
      'LockOptions',
      'Logger',
      'MetricLabels',
      'MetricSample',
      'Metrics',
      'PluginContext',
      'PluginDefinition',
      'PluginHooks',
      'PluginListing',
      'PluginStats',
      'SharedState',
      'ToolArguments',
      'ToolCall',
      'ToolDefinition',
      'ToolSchema',
    ],
  },
  'plugins/index.ts': {
    values: [
      'llmPlugin',
      'memoryPlugin',
      'monitorPlugin',
      'onToolConfirm',
      'storagePlugin',
      'toolPlugin',
    ],
    types: [
      'BuiltinName',
      'BuiltinTool',
      'CreateStorageBackend',
      'FilesystemOptions',
      'HttpRequestOptions',
      'JsonOptions',
      'LlmAnswer',
      'LlmEmbedRequest',
      'LlmErrorCode',
      'LlmInput',
      'LlmMessage',
      'LlmMethods',
      'LlmOptions',
      'LlmOutput',
      'LlmPart',
      'LlmPrice',
      'LlmRequest',
      'LlmStats',
      'LlmToolCall',
      'LlmToolSource',
      'LlmTools',
      'LlmUsage',
      'LlmVectors',
      'McpTool',
      'MemoryAddOptions',
      'MemoryCallOptions',
      'MemoryChanges',
      'MemoryCondition',
      'MemoryEntry',
      'MemoryErrorCode',
      'MemoryFilter',
      'MemoryHit',
      'MemoryInput',
      'MemoryMetadata',
      'MemoryMethods',
      'MemoryMode',
      'MemoryOptions',
      'MemoryOutput',
      'MemoryOutputs',
      'MemoryRecentOptions',
      'MemorySearchOptions',
      'MemorySearchResult',
      'MemorySelection',
      'MemorySpec',
      'MemoryWeights',
      'MemoryWindow',
      'MonitorAggregate',
      'MonitorAlert',
      'MonitorAlertListing',
      'MonitorErrorCode',
      'MonitorInput',
      'MonitorMethods',
      'MonitorNotifyTarget',
      'MonitorOptions',
      'MonitorOutput',
      'MonitorQuery',
      'MonitorQueryResult',
      'MonitorRecording',
      'MonitorRetention',
      'MonitorRule',
      'MonitorSeriesListing',
      'OpenAiTool',
      'ScriptOptions',
      'ShellArgument',
      'ShellCommand',
      'ShellOptions',
      'StorageBackend',
      'StorageBackendOptions',
      'StorageBackupResult',
      'StorageBatchResult',
      'StorageCallOptions',
      'StorageCasResult',
      'StorageChange',
      'StorageCheck',
      'StorageCondition',
      'StorageEntry',
      'StorageErrorCode',
      'StorageInput',
      'StorageMethods',
      'StorageOperation',
      'StorageOptions',
      'StorageOutcome',
      'StorageOutput',
      'StorageOutputs',
      'StoragePage',
      'StorageRange',
      'StorageRangeInput',
      'StorageScan',
      'StorageSpec',
      'StorageUsage',
      'StorageWrite',
      'StoredEntry',
      'ToolAnswer',
      'ToolCallInput',
      'ToolConfirmAnswer',
      'ToolConfirmDecision',
      'ToolConfirmRequest',
      'ToolEntry',
      'ToolInput',
      'ToolListInput',
      'ToolListing',
      'ToolMethods',
      'ToolOptions',
      'ToolResult',
    ],
  },
};

describe('a public door', () => {
  it.each(Object.keys(DOORS))('exports what is promised and nothing else: %s', (door) => {
    expect(exportsOf(door)).toEqual(DOORS[door]);
  });

  it.each(Object.keys(DOORS))('names each export, so that none slips in: %s', (door) => {
    expect(codeOf(door)).not.toMatch(/export\s*(type\s*)?\*|export\s+default/);
  });

  it('is one of those the package declares, and its values are there', async () => {
    const manifest = JSON.parse(sourceOf('package.json')) as { exports: Record<string, unknown> };
    const code = Object.entries(manifest.exports).flatMap(([name, target]) =>
      typeof target === 'string' ? [] : [name],
    );
    // a script needs types alone
    expect(manifest.exports['./script']).toEqual({ types: './dist/src/script.d.ts' });
    expect(code).toEqual(['.', './plugin', './script', './plugins']);
    const modules: Record<string, object> = {
      'src/index.ts': await import('../../src/index.ts'),
      'src/plugin.ts': await import('../../src/plugin.ts'),
      'plugins/index.ts': await import('../../plugins/index.ts'),
    };
    for (const [door, module] of Object.entries(modules)) {
      expect(Object.keys(module).toSorted()).toEqual(DOORS[door]?.values);
    }
  });
});

function exportsOf(door: string): { values: string[]; types: string[] } {
  const code = codeOf(door);
  const names: { values: string[]; types: string[] } = { values: [], types: [] };
  for (const [, type, list] of code.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)) {
    for (const item of (list ?? '').split(',')) {
      const name =
        item
          .trim()
          .split(/\s+as\s+/)
          .at(-1) ?? '';
      const isType = type !== undefined || name.startsWith('type ');
      if (name) names[isType ? 'types' : 'values'].push(name.replace(/^type /, ''));
    }
  }
  for (const [, kind, name] of code.matchAll(
    /^export\s+(?:async\s+|abstract\s+)?(interface|type|function|const|let|class)\s+(\w+)/gm,
  )) {
    names[kind === 'interface' || kind === 'type' ? 'types' : 'values'].push(name ?? '');
  }
  return { values: names.values.toSorted(), types: names.types.toSorted() };
}
