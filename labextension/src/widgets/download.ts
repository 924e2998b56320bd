/** Let the browser download an address. Without a name, the browser uses the one that the server sends. */
export function download(url: string, name = ''): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
