/** Reads server-sent events from a `fetch` response, because EventSource can't send a token in a header. */

export interface IServerEvent {
  event: string;
  data: string;
}

export async function* readEvents(response: Response): AsyncGenerator<IServerEvent> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map(line => line.split(/: ?(.*)/s, 2) as [string, string]));
      yield { event: fields.get('event') ?? 'message', data: fields.get('data') ?? '' };
    }
  }
}
