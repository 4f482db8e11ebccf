// The charts of the overview; its numbers are in the page as text.

views.overview = () => {
  if (byId("charts").childElementCount) return;
  for (const lines of content.overview.charts) {
    const { place, figure } = lineChart(lines);
    byId("charts").append(figure);
    chart(place, plotOf(lines));
  }
};
