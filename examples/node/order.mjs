// Quotes and an order with nothing but Node 18 or later: node order.mjs
const url = process.env.OPENALGO_URL ?? "http://127.0.0.1:5000";

async function call(endpoint, fields = {}) {
  const reply = await fetch(`${url}/api/v1/${endpoint}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ apikey: process.env.OPENALGO_KEY, ...fields }),
  });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(`${endpoint}: ${reply.status} ${JSON.stringify(answer.message)}`);
  return answer;
}

const symbol = { symbol: "SBIN", exchange: "NSE" };
const quote = await call("quotes", symbol);
console.log("SBIN", quote.data.ltp);
const order = await call("placeorder", {
  ...symbol, strategy: "node", action: "BUY", quantity: 1, pricetype: "MARKET", product: "MIS",
});
const status = await call("orderstatus", { strategy: "node", orderid: order.orderid });
console.log(order.orderid, status.data.order_status);
