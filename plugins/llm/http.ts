/** `fetch` for a model's server: no redirection is followed, and no response is without a bound. */
import { LlmError } from './llm-error.ts';

export function boundedFetch(bytesMax: number): typeof fetch {
  return async (input, init) => {
    // headers with keys are not carried elsewhere
    const response = await fetch(input, { ...init, redirect: 'manual' });
    if (Number(response.headers.get('content-length') ?? 0) > bytesMax) {
      await response.body?.cancel();
      throw tooLarge(bytesMax);
    }
    if (!response.body) return response;
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counted(bytesMax)), {
      status,
      statusText,
      headers,
    });
  };
}

function counted(bytesMax: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      controller.enqueue(chunk);
    },
  });
}

function tooLarge(bytesMax: number): LlmError {
  return new LlmError(
    'LLM_RESPONSE_TOO_LARGE',
    `the response is larger than ${String(bytesMax)} bytes: ask for less (maxTokens), or raise ` +
      'responseBytesMax',
  );
}
