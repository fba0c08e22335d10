local lib = import 'computed.libsonnet';
function(ctx) lib.map('computed', { note: 'harmless', text: importstr 'texts/imported.txt' })
