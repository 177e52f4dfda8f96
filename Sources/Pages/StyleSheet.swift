/// The style of all pages.
///
/// Inks are told apart by people who do not see red and green alike (after Okabe and Ito), and have a contrast of at
/// least 4.5 to 1 against the paper in both schemes (WCAG 2.2, 1.4.3), as they also colour text. The steps of a heat map,
/// `h0` to `h6`, are one hue whose lightness only falls (rises on dark paper), so that they read as an order in grey, too.
enum StyleSheet {
  private static let light = """
    --paper:#fff;--ink:#1a1f26;--soft:#55606c;--rule:#d6dce3;--panel:#f5f7f9;--a:#0a5aa8;--b:#b04400;--c:#69737f;\
    --d:#1a1f26;--link:#0a5aa8;--shade:10,90,168;\
    --h0:#f5f7f9;--h1:#d9e8f7;--h2:#b3d1ee;--h3:#84b4e1;--h4:#5497d3;--h5:#1f6cb3;--h6:#0a3d73;
    """
  private static let dark = """
    --paper:#11151a;--ink:#e6eaef;--soft:#a7b1bc;--rule:#37414c;--panel:#1a2027;--a:#6db5ff;--b:#ffa95c;--c:#98a3af;\
    --d:#f2f4f7;--link:#8ac4ff;--shade:109,181,255;\
    --h0:#1a2027;--h1:#17304a;--h2:#1d456d;--h3:#275e95;--h4:#5d9fdc;--h5:#93c4f2;--h6:#d2e8fd;
    """

  static let text = """
    :root{color-scheme:light dark;\(light)}
    @media screen and (prefers-color-scheme:dark){:root{\(dark)}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:62rem;background:var(--paper);color:var(--ink);\
    font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
    a{color:var(--link)}
    h1{font-size:clamp(1.65rem,5vw,2.4rem);line-height:1.15;margin:0 0 .6rem;letter-spacing:-.015em;text-wrap:balance}
    h2{font-size:1.45rem;line-height:1.25;margin:3.2rem 0 .6rem;padding-top:1.1rem;border-top:1px solid var(--rule)}
    h3{font-size:1.12rem;line-height:1.35;margin:2.2rem 0 .4rem}
    h4{font-size:1rem;margin:1.6rem 0 .3rem}
    p,ul,ol{margin:.5rem 0 .9rem;max-width:46rem}
    li{margin:.2rem 0}
    code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.875em}
    pre{background:var(--panel);border:1px solid var(--rule);border-radius:6px;padding:.7rem .9rem;white-space:pre-wrap;max-width:none}
    .summary{font-size:1.1rem;color:var(--soft);max-width:48rem}
    .note,figcaption,caption,.caption,.small{color:var(--soft);font-size:.9rem}
    .interval{color:var(--soft);white-space:nowrap}
    .none{color:var(--soft)}
    .kind-a,.kind-b{font-weight:600}
    .kind-a{color:var(--a)}.kind-b{color:var(--b)}
    .kind-a::before{content:"\u{25CF}\u{2009}"}.kind-b::before{content:"\u{25A0}\u{2009}"}
    .missing{border-left:3px solid var(--rule);padding:.2rem 0 .2rem .8rem;color:var(--soft)}
    nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;padding:0;margin:1.4rem 0 0;font-size:.95rem;max-width:none}
    nav li{margin:0}
    .answers{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:1rem;margin:1.6rem 0 0}
    .answer{background:var(--panel);border:1px solid var(--rule);border-top:4px solid var(--ink);border-radius:6px;padding:1rem 1.1rem}
    .answer h2{border:0;margin:0;padding:0;font-size:1.2rem}
    .answer .question{color:var(--soft);font-size:.9rem;margin:.1rem 0 .7rem}
    .answer .first{font-weight:650;line-height:1.4}
    .answer p{margin:.5rem 0}
    table{border-collapse:collapse;width:100%;font-size:.92rem;line-height:1.4;margin:1rem 0 .6rem;font-variant-numeric:tabular-nums}
    caption{text-align:left;padding:0 0 .5rem;caption-side:top}
    th,td{padding:.45rem .8rem .45rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    th:last-child,td:last-child{padding-right:0}
    thead th{color:var(--soft);font-weight:600;font-size:.85rem;vertical-align:bottom;border-bottom:2px solid var(--rule);overflow-wrap:normal}
    tbody th{font-weight:600}
    .n{text-align:right}
    td.n{white-space:nowrap}
    th.t,td.t{min-width:7.2em}
    td.n .interval{display:block;font-size:.9em}
    .scroll{overflow-x:auto}
    .scroll:focus-visible{outline:2px solid var(--link)}
    .caption{margin:1rem 0 .5rem}
    .scroll table{margin-top:0}
    .wide th{overflow-wrap:normal;padding-right:.8rem}
    td.shaded .interval{display:block;color:inherit;font-size:.9em;font-weight:400}
    td.shaded{padding-left:.6rem;background:rgba(var(--shade),var(--share));text-align:right;padding-right:.8rem}
    td.own{font-weight:700;box-shadow:inset 0 0 0 2px var(--soft)}
    .heat-map{margin:1.4rem 0 1.6rem}
    .heat-map>.note{margin:0 0 .5rem;max-width:none}
    .heat-key{list-style:none;display:flex;flex-wrap:wrap;gap:.35rem 1.1rem;padding:0;margin:0 0 .8rem;max-width:none;font-size:.85rem}
    .heat-key li{display:flex;align-items:center;gap:.4rem;margin:0}
    .heat-key span{flex:none;width:1.7rem;height:1.25rem;line-height:1.25rem;text-align:center;font-size:.75rem}
    .heat-map .scroll{position:relative;overflow:auto;max-height:90vh;border:solid var(--rule);border-width:1px 0}
    .heat{border-collapse:separate;border-spacing:0;width:auto;margin:0;line-height:1.2}
    .heat th,.heat td{border:1px solid transparent;padding:0;vertical-align:middle}
    .heat td{min-width:var(--cell);height:1.9rem;text-align:center;font-size:.75rem;white-space:nowrap;background-clip:padding-box}
    .heat td a{display:flex;align-items:center;justify-content:center;min-height:1.8rem;height:100%;scroll-margin:13rem 0 0 14rem;color:inherit;text-decoration:none}
    .heat td a:hover{text-decoration:underline}
    .heat td a:focus-visible{outline:2px solid;outline-offset:-5px}
    .heat .first{border-left-width:.55rem}
    .heat td.first{min-width:calc(var(--cell) + .5rem)}
    .heat tbody th{min-width:var(--names);width:var(--names);padding:.2rem .6rem .2rem 0;font-weight:400;font-size:.85rem;position:sticky;left:0;z-index:1;background:var(--paper)}
    .heat thead th,.heat thead td,.heat tbody th{box-shadow:0 0 0 1px var(--paper)}
    .heat tbody tr:hover th{background:var(--panel)}
    .heat tbody .group{position:static;padding:.8rem 0 .25rem;font-weight:600;font-size:.85rem}
    .heat thead+tbody .group{padding-top:.2rem}
    .heat .group span{position:sticky;left:0;display:inline-block}
    .heat thead{position:sticky;top:0;z-index:2}
    .heat thead th,.heat thead td{background:var(--paper);vertical-align:bottom;text-align:center;font-weight:400;font-size:.8rem;line-height:1.15;height:auto}
    .heat thead th{padding:.1rem .15rem .35rem;color:var(--ink)}
    .heat thead .corner{position:sticky;left:0;z-index:1}
    .heat thead .group span{left:calc(var(--names) + .55rem)}
    .heat thead .group{font-weight:600;text-align:left;padding:.1rem .15rem .25rem 0;background:linear-gradient(var(--soft),var(--soft)) bottom/100% 2px no-repeat padding-box,var(--paper)}
    .heat thead .level{width:var(--cell)}
    .heat .turned b{display:block;font-weight:600}
    .heat .turned span{display:inline-block;writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;max-height:11rem}
    .h0{background:var(--h0);color:var(--soft)}
    .h1,.h2,.h3{color:var(--ink)}.h1{background:var(--h1)}.h2{background:var(--h2)}.h3{background:var(--h3)}
    .h4{background:var(--h4);color:#11151a}
    .h5,.h6{color:var(--paper)}.h5{background:var(--h5)}.h6{background:var(--h6)}
    .hn{color:var(--soft);background:repeating-linear-gradient(135deg,transparent 0 4px,var(--rule) 4px 5px)}
    .hit{position:relative;box-shadow:inset 0 0 0 2px var(--paper)}
    .hit::after{content:"";position:absolute;inset:-1px;border:2px solid var(--ink);pointer-events:none}
    figure{margin:1.4rem 0 1.6rem;break-inside:avoid}
    .figure-title{font-weight:600;margin:0 0 .5rem;max-width:none}
    figcaption{margin-top:.5rem;max-width:46rem}
    svg{display:block;width:100%;height:auto;overflow:visible}
    .full svg{max-width:58rem}
    .half svg{max-width:30rem}
    .on-narrow{display:none}
    .pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 2.2rem;align-items:start}
    svg text{fill:var(--ink);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;unicode-bidi:isolate}
    svg .soft{fill:var(--soft)}
    svg .strong{font-weight:600}
    svg .plated{stroke:var(--paper);stroke-width:3px;paint-order:stroke;stroke-linejoin:round}
    svg path{fill:none}
    .grid{stroke:var(--rule);stroke-width:1}
    .axis{stroke:var(--soft);stroke-width:1}
    .diagonal{stroke:var(--c);stroke-width:1.3;stroke-dasharray:2 4}
    .lead{stroke:var(--soft);stroke-width:.8}
    .line-a,.line-b,.line-c,.line-d{stroke-width:1.8;stroke-linejoin:round}
    .line-a,.stem-a,.whisker-a{stroke:var(--a)}.line-b,.stem-b,.whisker-b{stroke:var(--b)}
    .line-c,.stem-c,.whisker-c{stroke:var(--c)}.line-d,.stem-d,.whisker-d{stroke:var(--d)}
    .dashed{stroke-dasharray:6 3}
    .stem-a,.stem-b,.stem-c,.stem-d{stroke-width:1;opacity:.75}
    .whisker-a,.whisker-b,.whisker-c,.whisker-d{stroke-width:1.6;opacity:.7}
    .whisker{stroke:var(--ink);stroke-width:1.2}
    svg .fill-a{fill:var(--a);opacity:.3}svg .fill-b{fill:var(--b);opacity:.3}
    .area-a{fill:var(--a);fill-opacity:.3;stroke:var(--a);stroke-width:1.5}
    .area-b{fill:none;stroke:var(--b);stroke-width:1.5;stroke-dasharray:5 2}
    .hatch-a{stroke:var(--a);stroke-width:1.4}.hatch-b{stroke:var(--b);stroke-width:1.4}
    svg .band-a{fill:var(--a);opacity:.18}svg .band-b{fill:var(--b);opacity:.18}svg .band-c{fill:var(--c);opacity:.18}
    svg .band-d{fill:var(--d);opacity:.14}
    .bar-a{fill:var(--a);opacity:.55}.bar-b{fill:var(--b);opacity:.55}.bar-c{fill:var(--c);opacity:.55}.bar-d{fill:var(--d);opacity:.55}
    svg .mark-a{fill:var(--a)}svg .mark-c{fill:var(--c)}svg .mark-d{fill:var(--d)}
    svg .mark-b{fill:var(--paper);stroke:var(--b);stroke-width:1.6}
    .reach{fill:none;pointer-events:all}
    .named:hover .reach{stroke:var(--soft)}
    .plate{fill:var(--paper)}
    .gap{fill:var(--panel)}
    footer{margin-top:3.5rem;border-top:1px solid var(--rule);padding-top:1rem;color:var(--soft);font-size:.9rem}
    @media screen and (min-width:64rem){.fits .scroll{overflow:visible;max-height:none;border:0}}
    @media screen and (min-width:78rem){.fits-wide .scroll{overflow:visible;max-height:none;border:0;width:var(--all);margin-left:calc((60rem - var(--all))/2)}}
    @media screen and (max-height:32rem){.heat thead{position:static}}
    @media screen and (max-width:54rem){.answers{grid-template-columns:minmax(0,1fr)}}
    @media screen and (max-width:44rem){
    .pair{grid-template-columns:minmax(0,1fr)}
    .on-wide{display:none}.on-narrow{display:block}
    .half svg,.full svg{max-width:28rem}
    table.cards,.cards caption,.cards tbody,.cards tr,.cards th,.cards td{display:block}
    .cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
    .cards tr{border:1px solid var(--rule);border-radius:6px;padding:.5rem .8rem;margin:0 0 .7rem}
    .cards th,.cards td{min-width:0;border:0;padding:.22rem 0;text-align:left}
    .cards tbody th{font-size:1rem;padding-bottom:.3rem}
    .cards td{display:grid;grid-template-columns:minmax(7rem,2fr) minmax(0,3fr);gap:.8rem;white-space:normal}
    .cards td::before{content:attr(data-label);color:var(--soft)}
    td.n .interval{display:inline}
    .wide th,.wide td{padding-right:1rem}
    .heat tbody th{min-width:7.6rem;width:7.6rem;font-size:.8rem}
    .heat td{min-width:min(var(--cell),2.1rem)}
    .heat td.first{min-width:calc(min(var(--cell),2.1rem) + .5rem)}
    .heat thead .group span{left:8.15rem}
    }
    @media print{
    @page{size:A4;margin:16mm}
    @page broad{size:A4 landscape;margin:12mm}
    :root{color-scheme:light;\(light)}
    html{font-size:9.5pt}
    body{max-width:none;padding:0;print-color-adjust:exact;-webkit-print-color-adjust:exact}
    nav{display:none}
    .answers{gap:.6rem}
    h2,h3,h4,caption,.figure-title{break-after:avoid}
    h2{margin-top:2rem}
    tr,.answer,figure,pre,.short{break-inside:avoid}
    thead{display:table-header-group}
    .full svg{max-width:none}
    .scroll,.heat-map .scroll{overflow:visible;max-height:none;border:0}
    .broad{page:broad}
    .heat thead,.heat thead .corner,.heat tbody th{position:static}
    .heat td{min-width:min(var(--cell),2.1rem)}
    .heat td.first{min-width:calc(min(var(--cell),2.1rem) + .5rem)}
    .heat-key{break-after:avoid}
    .heat tr:has(.group){break-after:avoid}
    table{font-size:.88rem}
    th,td{padding-right:.6rem}
    a{color:inherit;text-decoration:none}
    p{orphans:3;widows:3}
    }

    """
}
