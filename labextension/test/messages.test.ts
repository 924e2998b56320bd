import { ReplError } from '../src/model/messages';

test('whatever is thrown is an error for people', () => {
  const ours = new ReplError('Conflict', 'It was changed.', 'Compare both.');
  expect(ReplError.from(ours)).toBe(ours);
  expect(ReplError.from(new Error('broken')).text).toBe('broken');
  expect(ReplError.from('a text').text).toBe('a text');
});

test('a part of the page that is not loaded has no number of a chunk', () => {
  const thrown = new Error('Loading chunk 533 failed.\n(error: http://localhost/533.js)');
  thrown.name = 'ChunkLoadError';
  const { text } = ReplError.from(thrown);
  expect(text).toContain('could not be loaded');
  expect(text).not.toMatch(/533|http/);
});
