// The overview's charts; its numbers are in the page already.

views.overview = () => {
  if (byId("charts").childElementCount) return;
  for (const told of content.charts) {
    const { place, figure } = lineChart(told);
    byId("charts").append(figure);
    chart(place, lines(told));
  }
};
