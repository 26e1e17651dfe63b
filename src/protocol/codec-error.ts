/** A value or a body that the codec refuses. The caller adds who it was for. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly code: 'PAYLOAD_INVALID' | 'PAYLOAD_TOO_LARGE';
  readonly data: Record<string, unknown>;

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
    return thrown instanceof CodecError;
  } catch {
    return false;
  }
}
