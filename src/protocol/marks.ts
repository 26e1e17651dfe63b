/** The marks by which plugin.ts, hosts and actors know each other's values, across package copies. */

/** On a plugin definition: its setup function. */
export const PLUGIN_MARK = Symbol.for('troupe.plugin');
/** On an error of the codec: hosts are bundled apart, with a class of their own. */
export const CODEC_ERROR_MARK = Symbol.for('troupe.codec-error');
/** On a result with buffers to move: those buffers. */
export const TRANSFER_MARK = Symbol.for('troupe.transfer');
