function drawHeader() {
  const name = data.bundle.replace(/\/+$/, '').split('/').pop();
  document.title = `lmc profile: ${name}`;
  byId('title').textContent = name;
  byId('subtitle').textContent = `${data.model}, target ${data.target}, ${data.threads} thread${data.threads === 1 ? '' : 's'}, ` +
    `${data.prompt_tokens} tokens of prompt, ${data.decode_tokens} decoded`;
  const { decode, prefill, peaks, cold } = data;
  const bytes = decode.kernels.reduce((sum, k) => sum + k.bytes_per_call * k.calls_per_step, 0);
  const rate = decode.waiting.wall_ms > 0 ? bytes / decode.waiting.wall_ms / 1e6 : 0;
  const cards = [
    [fixed(decode.tokens_per_second, 1), 'tokens/s', 'decode'],
    [fixed(prefill.tokens_per_second, 0), 'tokens/s', 'prefill'],
    [fixed(decode.jitter.step.p50_ms, 2), 'ms', `step p50 (p99 ${fixed(decode.jitter.step.p99_ms, 2)} ms)`],
    [percent(peaks.read_gb_s > 0 ? rate / peaks.read_gb_s : 0, 0), '', `of read peak: ${fixed(rate, 1)} of ${fixed(peaks.read_gb_s, 1)} GB/s`],
    [percent(decode.waiting.waiting_share), '', "of workers' time is waiting"],
    [fixed(cold.decode_ratio, 2), '×', 'first decode step, by the median'],
  ];
  byId('cards').innerHTML = cards.map(([value, unit, text]) =>
    `<div class="card"><b>${value} <small>${unit}</small></b><span>${escape(text)}</span></div>`).join('');
}

for (const draw of [drawHeader, drawBottlenecks, drawTimeline, drawRoofline, drawJitter, drawLayers, drawAttention, drawKernels,
  drawWaiting, drawPhases, drawSteps]) draw();
