// The page of the chat view.
import { randomBytes } from "node:crypto";

/** Markup that allows its own script and style and nothing else: no network, no frames, no inline code. */
export function page(script: string, style: string, source: string): string {
  const nonce = randomBytes(18).toString("base64");
  const policy = `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="${style}">
<title>Khoj chat</title>
</head>
<body>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
