// The builder's default names each chunk by its hash twice, once as `?v=`, and all of these names are in the file
// that JupyterLab loads at its start. The server lets browsers keep whatever has a `v`, whichever.
module.exports = { output: { chunkFilename: '[name].[contenthash].js?v=1' } };
