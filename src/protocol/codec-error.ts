import { CODEC_ERROR_MARK } from './marks.ts';

const CODES = new Set<unknown>(['PAYLOAD_INVALID', 'PAYLOAD_TOO_LARGE']);

/** A value or a body that the codec refuses. The caller adds who it was for. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly code: 'PAYLOAD_INVALID' | 'PAYLOAD_TOO_LARGE';
  readonly data: Record<string, unknown>;

  get [CODEC_ERROR_MARK](): true {
    return true;
  }

  constructor(
    code: 'PAYLOAD_INVALID' | 'PAYLOAD_TOO_LARGE',
    message: string,
    data: Record<string, unknown> = {},
  ) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** For anything that was thrown: a proxy may throw when it is asked what it is. */
export function isCodecError(thrown: unknown): thrown is CodecError {
  try {
    return thrown instanceof Error && CODEC_ERROR_MARK in thrown && CODES.has(codeOf(thrown));
  } catch {
    return false;
  }
}

function codeOf(error: object): unknown {
  return 'code' in error ? error.code : undefined;
}
