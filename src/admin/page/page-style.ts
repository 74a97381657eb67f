// The status page's style: light and dark by the reader's own setting, readable without colour.

export const pageStyle: string = `
:root{color-scheme:light dark;--page:#f6f6f4;--card:#fcfcfb;--ink:#1c1c1a;--soft:#55544f;--line:#dddcd6;--grid:#e7e6e1;
--one:#1f66b8;--two:#a4480f;--three:#7b3fa0;--bad:#c02f2f;--badback:#fbe9e7;--good:#14784d;--focus:#1f66b8;--button:#ecebe6}
@media (prefers-color-scheme:dark){:root{--page:#121211;--card:#1a1a19;--ink:#ecebe6;--soft:#b3b1a9;--line:#383733;--grid:#2a2a27;
--one:#5a9ff0;--two:#ef9552;--three:#c79af0;--bad:#ff8a80;--badback:#3a1d1b;--good:#55c795;--focus:#8abcf5;--button:#2c2b28}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
header,main,footer{max-width:1400px;margin:0 auto;padding:0 20px}
header{display:flex;flex-wrap:wrap;align-items:center;gap:6px 24px;padding-top:14px;padding-bottom:10px}
h1{font-size:20px;margin:0}h1 small{font-weight:400;color:var(--soft);font-size:14px}
h2{font-size:16px;margin:0 0 10px}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:0 0 14px}
p{margin:0}
.state{display:flex;align-items:center;gap:8px;font-weight:600}
.mark{width:12px;height:12px;border-radius:50%;border:2px solid var(--soft)}
.state.good .mark{background:var(--good);border-color:var(--good)}
.state.bad{color:var(--bad)}.state.bad .mark{background:var(--bad);border-color:var(--bad);border-radius:2px}
.side{margin-left:auto;color:var(--soft);display:flex;gap:8px;align-items:center}
.notices{list-style:none;margin:0 0 14px;padding:10px 16px;border:1px solid var(--line);border-left:5px solid var(--two);border-radius:8px;background:var(--card)}
.notices .bad{color:var(--bad);font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(310px,1fr));gap:18px 28px}
.chart{margin:0;min-width:0}
figcaption{font-weight:600;color:var(--soft);font-size:13px}
.now{display:flex;flex-wrap:wrap;gap:2px 18px;min-height:30px;align-items:baseline}
.now span{white-space:nowrap;font-size:13px;color:var(--soft)}.now b{font-size:20px;color:var(--ink);font-variant-numeric:tabular-nums}
.now i{display:inline-block;width:14px;height:0;border-top:3px solid var(--one);margin-right:6px;vertical-align:4px}
.now .second i{border-top-style:dashed;border-color:var(--two)}.now .third i{border-top-style:dotted;border-color:var(--three)}
.plot{position:relative;height:96px;margin-top:4px}
.plot svg{width:100%;height:100%;display:block;overflow:visible}
.plot path,.plot line{vector-effect:non-scaling-stroke;fill:none}
.plot line{stroke:var(--grid);stroke-width:1}
.plot .first{stroke:var(--one);stroke-width:2}.plot .second{stroke:var(--two);stroke-width:2;stroke-dasharray:5 3}
.plot .third{stroke:var(--three);stroke-width:2;stroke-dasharray:2 3}
.plot .at{stroke:var(--soft)}
.plot .top{position:absolute;top:-9px;right:0;font-size:11px;color:var(--soft);background:var(--card);padding-left:4px}
.axis{display:flex;justify-content:space-between;font-size:11px;color:var(--soft)}
.head{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline;margin-bottom:10px}.head h2{margin:0}
.count{color:var(--soft);margin-right:auto}
.head label{color:var(--soft);font-size:13px}
.scroll{overflow:auto;position:relative;max-height:27rem}
.scroll thead th{position:sticky;top:0;background:var(--card);box-shadow:0 1px var(--line)}
table{border-collapse:collapse;width:100%;font-size:14px}
th{text-align:left;font-weight:600;color:var(--soft);font-size:12.5px;border-bottom:1px solid var(--line);padding:4px 14px 4px 0;white-space:nowrap}
td{padding:5px 14px 5px 0;border-bottom:1px solid var(--grid);vertical-align:top;overflow-wrap:anywhere;min-width:8em;max-width:28em}
#sessions td:nth-child(4),#sessions td:nth-child(6),td:has(button){white-space:nowrap;min-width:0}
tr:last-child td{border-bottom:0}
.number,td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;min-width:0;padding-right:22px}
td .more{display:block;color:var(--soft);font-size:12.5px}
td.bad bdi:first-child{color:var(--bad);font-weight:600}tr.busy td:nth-child(6){font-weight:600}
.empty{color:var(--soft)}
button,input{font:inherit;font-size:14px;color:inherit;background:var(--button);border:1px solid var(--line);border-radius:6px;padding:3px 10px}
input{background:var(--page);min-width:12em}
button{cursor:pointer}button:hover{border-color:var(--soft)}button[aria-pressed=true]{border-color:var(--two);color:var(--two)}
.danger{color:var(--bad);border-color:var(--bad)}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
dialog{color:inherit;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px;max-width:34em}
dialog p{margin:0 0 12px;overflow-wrap:anywhere}dialog::backdrop{background:rgb(0 0 0/.45)}
dialog ul{margin:0 0 14px;padding-left:20px}dialog li{margin-bottom:6px;overflow-wrap:anywhere}
.buttons{display:flex;gap:10px;justify-content:flex-end;margin:0}
.error:not(:empty){background:var(--badback);color:var(--bad);padding:6px 10px;border-radius:6px}
a{color:var(--one)}footer{color:var(--soft);padding-bottom:24px;font-size:13px}
.skip{position:absolute;left:-9999px}.skip:focus{left:8px;top:8px;background:var(--card);padding:6px 10px;z-index:1}
.spoken{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (forced-colors:active){.mark{forced-color-adjust:none}}
`;
